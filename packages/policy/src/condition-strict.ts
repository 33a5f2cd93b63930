import { type ASTNode, type Environment, EvaluationError } from '@marcbachmann/cel-js'
import { makeConditionEnvironment } from './condition-environment.ts'
import { hasField, isAmong, isSame } from './condition-equality.ts'

// As deep as there are nodes: every operator gets brackets of its own.
const environment = makeConditionEnvironment(10)
  .registerFunction('isSame(dyn, dyn): bool', isSame)
  .registerFunction('isAmong(dyn, dyn): bool', isAmong)
  .registerFunction('hasField(dyn, string): bool', hasField)
  .registerFunction('inBounds(list<string>): list<string>', inBounds)

/**
 * The condition as it is run: with comparisons of ours instead of the library's, which take values of
 * different types for unequal, and whose operators cannot be replaced. So it is written once more, with calls
 * in their places.
 */
export function parseStrictly(root: ASTNode): ReturnType<Environment['parse']> {
  return environment.parse(write(root))
}

function write(node: ASTNode): string {
  switch (node.op) {
    case 'value':
      return node.input.slice(node.start, node.end)
    case 'id':
      return node.args
    case '==':
    case '!=':
      return writeComparison(node.op, node.args)
    case 'in':
      return writeCall('isAmong', node.args)
    case '.':
      return `${write(node.args[0])}.${node.args[1]}`
    case '[]':
      return `${write(node.args[0])}[${write(node.args[1])}]`
    case 'call':
      return writeFunction(...node.args)
    case 'rcall':
      return writeMethod(...node.args)
    case 'list':
      return `[${node.args.map(write).join(', ')}]`
    case 'map':
      return `{${node.args.map(([name, value]) => `${write(name)}: ${write(value)}`).join(', ')}}`
    case '?:':
      return `(${write(node.args[0])} ? ${write(node.args[1])} : ${write(node.args[2])})`
    case '!_':
      return `(!${write(node.args)})`
    case '-_':
      return `(-${write(node.args)})`
    case '.?':
    case '[?]':
      throw new Error('optional values are switched off')
    default:
      return writeOperator(node.op, node.args)
  }
}

type Operands = readonly [left: ASTNode, right: ASTNode]

/** Whether something is null is a question about its type, and has an answer for every type. */
function writeComparison(op: '==' | '!=', operands: Operands): string {
  if (operands.some(({ args }) => args === null)) return writeOperator(op, operands)
  return op === '==' ? writeCall('isSame', operands) : `(!${writeCall('isSame', operands)})`
}

function writeOperator(op: string, [left, right]: Operands): string {
  return `(${write(left)} ${op} ${write(right)})`
}

function writeCall(name: string, args: readonly ASTNode[]): string {
  return `${name}(${args.map(write).join(', ')})`
}

function writeFunction(name: string, args: readonly ASTNode[]): string {
  const [field] = args
  if (name !== 'has' || field?.op !== '.') return writeCall(name, args)
  return `hasField(${write(field.args[0])}, "${field.args[1]}")`
}

function writeMethod(name: string, receiver: ASTNode, args: readonly ASTNode[]): string {
  const call = `${write(receiver)}.${writeCall(name, args)}`
  return name === 'split' ? `inBounds(${call})` : call
}

const maxParts = 1_000

/** A list that is split out of a text could be as long as the text. */
function inBounds(parts: readonly string[]): readonly string[] {
  if (parts.length > maxParts)
    throw new EvaluationError({ code: 'too_many_parts', message: 'too many parts' })
  return parts
}
