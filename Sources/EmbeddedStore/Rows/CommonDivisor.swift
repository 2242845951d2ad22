/// What divides all of some integers: timestamps of a clock that counts milliseconds share a factor of a million, and so need 20 bits less each.
enum CommonDivisor {
    /// The greatest common divisor of `values`; 1 where all are 0.
    static func of(_ values: [Int64]) -> Int64 {
        var divisor: UInt64 = 0
        for value in values {
            // Once found it divides nearly every value, at the cost of one division each.
            var rest = divisor == 0 ? value.magnitude : value.magnitude % divisor
            while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
            if divisor == 1 { return 1 }
        }
        return divisor == 0 ? 1 : Int64(exactly: divisor) ?? 1
    }
}
