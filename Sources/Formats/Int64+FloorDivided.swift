extension Int64 {
    /// Division that rounds towards negative infinity; `divisor` > 0.
    package func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
