/** The pages whose commands are run, by the project in which they are. README has commands of two. */
export const SHOP_PAGES = [
  'README.md',
  'docs/quick-start.md',
  'docs/exporting-models.md',
  'docs/notebooks.md',
]
export const TELCO_PAGES = [
  'README.md',
  'docs/training.md',
  'docs/leaks.md',
  'docs/reasons.md',
  'docs/outcomes.md',
  'docs/readiness.md',
  'docs/shadow.md',
  'docs/simulate.md',
]
export const VALUE_PAGES = ['docs/nights.md', 'docs/operating.md', 'docs/monitoring.md', 'docs/scale.md']
export const WALKED_PAGES = ['docs/walks.md']

/** Commands within sentences that need the telecom example, with its labels and training; the small model does for all others. */
export const ABOUT_CHURN = / churn\b| replay | outcomes /
