/// Up to 1,024 doubles of a column: what the encoder and the decoder agree upon.
///
/// Byte for byte: docs/format/columns.md, "Float frame".
enum FloatFrame {
    static let valueCountMax = IntegerFrame.valueCountMax

    // A frame's first byte: a power of ten 0…14 or one of the two others, and flags.
    static let kindMask: UInt8 = 0b0100_1111
    static let constant: UInt8 = 0b0100_0000
    static let xor: UInt8 = 0b0100_0001
    static let hasExceptions: UInt8 = 0b0001_0000
    static let hasDrift: UInt8 = 0b0010_0000
    /// In a column's first byte only, for the whole column.
    static let neverDecreases: UInt8 = 0b1000_0000

    /// Appends a frame.
    ///
    /// - Parameter values: valid for `count` (1…1,024) doubles.
    /// - Returns: what was learnt about them.
    static func append(_ values: UnsafePointer<Double>, count: Int, to bytes: inout [UInt8]) -> FloatSurvey {
        let survey = FloatSurvey(values, count: count)
        if survey.isInteger {
            bytes.append(0)
            IntegerFrame.append(values, count: count, to: &bytes)
        } else if survey.isConstant, DecimalForm.exponent(values, count: 1) == nil {
            bytes.appendColumn(byteCountMax: 9) { writer in
                writer.byte(constant)
                writer.fixed64(values[0].bitPattern)
            }
        } else if let exponent = DecimalForm.exponent(values, count: count) {
            let start = bytes.count
            let isWhole = DecimalForm.append(values, count: count, exponent: exponent, to: &bytes)
            // Few decimals take as much as XOR does at its best.
            if !isWhole || bytes.count - start > 5 * count + 16 {
                let middle = bytes.count
                XORForm.append(values, count: count, to: &bytes)
                if isWhole, middle - start <= bytes.count - middle {
                    bytes.removeSubrange(middle...)
                } else {
                    bytes.removeSubrange(start..<middle)
                }
            }
        } else {
            XORForm.append(values, count: count, to: &bytes)
        }
        return survey
    }

    /// Reads a frame.
    ///
    /// - Parameter values: free for `count` (1…1,024) doubles. Written also where it throws.
    static func read(
        _ reader: inout ColumnReader, count: Int, into values: UnsafeMutablePointer<Double>
    ) throws(DecodeError) {
        let head = try reader.byte("encoding")
        switch head & kindMask {
        case constant:
            guard head & (hasExceptions | hasDrift) == 0 else { throw reader.failure("encoding", "a constant has neither exceptions nor drift") }
            values.initialize(repeating: Double(bitPattern: try reader.fixed64("constant")), count: count)
        case xor:
            guard head & hasDrift == 0 else { throw reader.failure("encoding", "XOR has no drift") }
            try XORForm.read(&reader, count: count, into: values)
        case let exponent:
            try DecimalForm.read(&reader, count: count, exponent: Int(exponent), hasDrift: head & hasDrift != 0, into: values)
        }
        if head & hasExceptions != 0 { try FloatExceptions.read(&reader, count: count, into: values) }
    }
}

/// What one pass over a frame learns about its doubles.
struct FloatSurvey {
    /// All have the same bits.
    let isConstant: Bool
    /// All are integers below 2^51 in size, none is -0.
    let isInteger: Bool
    /// A value is below the one before it, or the two cannot be compared.
    let decreases: Bool

    /// - Parameter values: valid for `count` ≥ 1 doubles.
    init(_ values: UnsafePointer<Double>, count: Int) {
        let raw = UnsafeRawPointer(values)
        let first = SIMD2(repeating: values[0].bitPattern)
        // Non-zero where a value is what they are called.
        var (different, inexact) = (SIMD2<UInt64>.zero, SIMD2<UInt64>.zero)
        // Zero where a value is not what they are called: comparisons that hold are all ones.
        var (narrow, rising) = (SIMD2<UInt64>(repeating: .max), SIMD2<UInt64>(repeating: .max))
        let middle = SIMD2(repeating: DecimalForm.middle)
        let limit = SIMD2(repeating: DecimalForm.integerMax)
        // By pairs; the first value, and a last one that is left over, twice in one.
        @inline(__always)
        func survey(_ pair: SIMD2<Double>, before: SIMD2<Double>) {
            let rounded = (pair + middle) - middle
            let bits = unsafeBitCast(pair, to: SIMD2<UInt64>.self)
            different |= bits ^ first
            inexact |= bits ^ unsafeBitCast(rounded, to: SIMD2<UInt64>.self)
            narrow &= unsafeBitCast((rounded .< limit) .& (rounded .> -limit), to: SIMD2<UInt64>.self)
            rising &= unsafeBitCast(before .<= pair, to: SIMD2<UInt64>.self)
        }
        survey(SIMD2(repeating: values[0]), before: SIMD2(repeating: values[0]))
        var index = 1
        // SAFETY: a pair and the value before it lie within `count`.
        while index &+ 1 < count {
            survey(
                (raw + index &* 8).loadUnaligned(as: SIMD2<Double>.self), before: (raw + index &* 8 - 8).loadUnaligned(as: SIMD2<Double>.self))
            index &+= 2
        }
        if index < count { survey(SIMD2(repeating: values[index]), before: SIMD2(repeating: values[index &- 1])) }
        isConstant = different == .zero
        isInteger = inexact == .zero && narrow[0] & narrow[1] == .max
        // A NaN is not at least itself, alone or first either.
        decreases = rising[0] & rising[1] != .max
    }
}
