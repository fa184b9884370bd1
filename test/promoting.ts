/** Arguments that promote a version whatever the gate says, for tests that are about something else. */
export function promoting(model: string, version: number | string, by = 'ann@example.com'): string[] {
  const reason = 'this test is not about the gate'
  return ['promote', model, '--version', String(version), '--override', reason, '--by', by]
}
