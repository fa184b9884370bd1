/** Whether two names or addresses mean one person: case, spaces and characters that look alike make no difference. */
export function isSamePerson(one: string, other: string): boolean {
  return plain(one) === plain(other)
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\s\p{Cf}]+/gu, '')
    .toLowerCase()
}
