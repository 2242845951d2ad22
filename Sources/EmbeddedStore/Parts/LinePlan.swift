import Glibc

/// How lines are put together: for each template, alternating constant bytes and fields.
struct LinePlan {
    private struct Step {
        var offset: Int32
        var count: Int32
        /// The field whose value follows; -1 at the line's end.
        var field: Int32
    }

    private var literal: [UInt8] = []
    private var steps: [Step] = []
    /// By template, and for none: its first step.
    private var firsts: [Int] = []

    init(_ head: LogBlockHead) {
        for template in head.templates {
            firsts.append(steps.count)
            for (index, piece) in template.pieces.enumerated() {
                let field = index < template.fields.count ? template.fields[index] : -1
                steps.append(Step(offset: Int32(literal.count), count: Int32(piece.count), field: Int32(field)))
                literal += piece
            }
        }
        firsts.append(steps.count)
        steps.append(Step(offset: 0, count: 0, field: Int32(head.fields.count)))
        steps.append(Step(offset: 0, count: 0, field: -1))
        literal += [UInt8](repeating: 0, count: RenderedFields.slack)
    }

    /// How long lines are together.
    func byteCount(_ codes: [UInt8], _ values: borrowing RenderedFields, _ cursors: [Int]) -> Int {
        var cursors = cursors
        var total = 0
        for code in codes {
            var step = firsts[Int(code)]
            while true {
                total += Int(steps[step].count)
                let field = Int(steps[step].field)
                if field < 0 { break }
                total += values.count(cursors[field])
                cursors[field] += 1
                step += 1
            }
        }
        return total
    }

    /// Writes all lines.
    ///
    /// - Returns: their bytes, at most what `output` holds without its slack; -1 where they would be more.
    ///
    /// SAFETY: codes name a template or none, and the cursors run over as many values as the codes ask for: both were checked by
    /// ``LogBlockReader/readRowTemplates()``. Values and literals have slack behind them; room in `output` is checked at every copy.
    func assemble(
        _ codes: [UInt8], _ texts: UnsafePointer<UInt8>, _ slices: UnsafePointer<ValueSlice>, _ cursors: inout [Int],
        _ ends: inout [Int], _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let start = output.baseAddress else { return codes.isEmpty ? 0 : -1 }
        let limit = start + (output.count - RenderedFields.slack)
        var next = start
        let isWhole = literal.withUnsafeBufferPointer { literal in
            steps.withUnsafeBufferPointer { steps in
                cursors.withUnsafeMutableBufferPointer { cursors in
                    ends.withUnsafeMutableBufferPointer { ends in
                        guard let literal = literal.baseAddress else { return false }
                        for row in codes.indices {
                            var step = firsts[Int(codes[row])]
                            while true {
                                let part = steps[step]
                                let count = Int(part.count)
                                guard limit - next >= count else { return false }
                                Self.copy(literal + Int(part.offset), next, count)
                                next += count
                                if part.field < 0 { break }
                                let cursor = cursors[Int(part.field)]
                                cursors[Int(part.field)] = cursor &+ 1
                                let slice = slices[cursor]
                                guard limit - next >= slice.count else { return false }
                                Self.copy(texts + slice.start, next, slice.count)
                                next += slice.count
                                step &+= 1
                            }
                            ends[row] = next - start
                        }
                        return true
                    }
                }
            }
        }
        return isWhole ? next - start : -1
    }

    /// Copies `count` bytes; up to 16 are one load and one store, whatever the count.
    @inline(__always)
    private static func copy(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) {
        if count <= 16 {
            let bytes = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt8>.self)
            UnsafeMutableRawPointer(target).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
        } else {
            memcpy(target, source, count)
        }
    }
}
