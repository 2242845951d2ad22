private import Synchronization

/// Contexts for those who compress now and then: kept between calls, and shared by all threads.
///
/// Whoever writes block after block holds a ``ZstdCompressor`` of their own instead.
package enum ZstdContexts {
    /// As many as work at once on a small machine; what is given back beyond it is freed. A compressor keeps a MiB or more.
    private static let keptMax = 4

    private static let compressors = Mutex<[ZstdCompressor]>([])
    private static let decompressors = Mutex<[ZstdDecompressor]>([])

    /// Lends a compressor to `body`.
    package static func withCompressor<Result>(_ body: (ZstdCompressor) -> Result) -> Result {
        let taken = Loan(compressors.withLock { Loan($0.popLast()) }.value ?? ZstdCompressor())
        defer { compressors.withLock { if $0.count < keptMax { $0.append(taken.value) } } }
        return body(taken.value)
    }

    /// Lends a decompressor to `body`.
    package static func withDecompressor<Result, Failure>(
        _ body: (ZstdDecompressor) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let taken = Loan(decompressors.withLock { Loan($0.popLast()) }.value ?? ZstdDecompressor())
        defer { decompressors.withLock { if $0.count < keptMax { $0.append(taken.value) } } }
        return try body(taken.value)
    }

    /// Carries a context over the lock's edge.
    // SAFETY: a context is either in the list or with the one caller that took it out under the lock.
    private struct Loan<Value>: @unchecked Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }
}
