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
        let first = values[0].bitPattern
        // Each of them non-zero where a value is what it is called.
        var (different, inexact, wide, lower): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for index in 0..<count {
            let value = values[index]
            let rounded = DecimalForm.rounded(value)
            different |= value.bitPattern ^ first
            inexact |= value.bitPattern ^ rounded.bitPattern
            let isWide: UInt64 = abs(rounded) < DecimalForm.integerMax ? 0 : 1
            wide |= isWide
        }
        for index in 1..<max(1, count) {
            let isLower: UInt64 = values[index] >= values[index &- 1] ? 0 : 1
            lower |= isLower
        }
        isConstant = different == 0
        isInteger = inexact | wide == 0
        // A NaN alone is not above itself either.
        decreases = lower != 0 || (count == 1 && values[0].isNaN)
    }
}
