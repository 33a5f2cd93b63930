/** Why a file was not changed: words for the person whose file it is. The file is as it was. */
export class HostFileError extends Error {
  override readonly name = 'HostFileError'
  readonly file: string

  constructor(file: string, message: string) {
    super(message)
    this.file = file
  }
}
