import CRE2

/// A regular expression in RE2's syntax: linear time, the syntax that users know from Go. Safe to use from many threads.
package final class Pattern: Sendable {
    /// What RE2 says of an expression that it does not take.
    package struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        package var pattern: String
        package var message: String

        package var description: String { "error parsing regexp: \(message)" }
    }

    package struct Options: OptionSet, Sendable {
        package var rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// `.` matches a newline too (what Prometheus and Loki do with label matchers).
        package static let dotMatchesNewline = Options(rawValue: 1)
        package static let ignoresCase = Options(rawValue: 2)
        /// Groups only group.
        package static let noCaptures = Options(rawValue: 4)
    }

    /// Memory for the automata of one expression. RE2's own default is 8 MiB; queries come by the hundred.
    private static let memoryByteCountMax: Int64 = 4 << 20

    package let text: String
    /// SAFETY: RE2 objects are immutable once compiled and thread-safe for matching (re2.h, "Thread safety").
    private nonisolated(unsafe) let expression: OpaquePointer
    /// The names of the groups, from group 1; nil for one without a name.
    package let groupNames: [String?]

    package init(_ text: String, options: Options = []) throws(SyntaxError) {
        self.text = text
        var pattern = text
        let compiled: Result<OpaquePointer, SyntaxError> = pattern.withUTF8 { bytes in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                let compiled = bytes.withMemoryRebound(to: CChar.self) {
                    apus_re2_compile(
                        $0.baseAddress, $0.count, options.rawValue, Pattern.memoryByteCountMax, message.baseAddress, message.count)
                }
                if let compiled { return .success(compiled) }
                return .failure(SyntaxError(pattern: text, message: String(cString: message.baseAddress!)))
            }
        }
        expression = try compiled.get()
        var names: [String?] = []
        for group in 0..<apus_re2_group_count(expression) {
            names.append(apus_re2_group_name(expression, group + 1).map { String(cString: $0) })
        }
        groupNames = names
    }

    deinit {
        apus_re2_free(expression)
    }

    /// Whether the whole of `text` matches.
    package func matchesWhole(_ text: String) -> Bool { matches(text, anchored: 1) }
    /// Whether a part of `text` matches.
    package func matchesPart(_ text: String) -> Bool { matches(text, anchored: 0) }

    /// Two texts in byte order between which a text must lie to match as a whole; nil where nothing is known.
    package var bounds: (lower: [UInt8], upper: [UInt8])? {
        let capacity = 64
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2 * capacity) { buffer in
            guard let lower = buffer.baseAddress else { return nil }
            let upper = lower + capacity
            var (lowerByteCount, upperByteCount) = (0, 0)
            guard apus_re2_bounds(expression, lower, &lowerByteCount, upper, &upperByteCount, capacity) else { return nil }
            func bytes(_ start: UnsafeMutablePointer<CChar>, _ count: Int) -> [UInt8] {
                UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
            }
            return (bytes(lower, lowerByteCount), bytes(upper, upperByteCount))
        }
    }

    /// Whether a part of `bytes` matches.
    package func matchesPart(_ bytes: Span<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { matches($0, anchored: 0) }
    }

    /// The first match at or after byte `start`: the byte ranges of the whole match and of each group (nil: took no part).
    package func firstMatch(in bytes: Span<UInt8>, from start: Int = 0, anchored: Bool = false) -> [Range<Int>?]? {
        bytes.withUnsafeBufferPointer { find($0, from: start, anchored: anchored) }
    }

    /// The first match at or after byte `start` of `text`'s UTF-8.
    package func firstMatch(in text: String, from start: Int = 0, anchored: Bool = false) -> [Range<Int>?]? {
        var text = text
        return text.withUTF8 { find($0, from: start, anchored: anchored) }
    }

    private func matches(_ text: String, anchored: Int32) -> Bool {
        var text = text
        return text.withUTF8 { matches($0, anchored: anchored) }
    }

    private func matches(_ bytes: UnsafeBufferPointer<UInt8>, anchored: Int32) -> Bool {
        bytes.withMemoryRebound(to: CChar.self) { apus_re2_matches(expression, $0.baseAddress, $0.count, anchored) }
    }

    private func find(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, anchored: Bool) -> [Range<Int>?]? {
        guard start >= 0, start <= bytes.count else { return nil }
        let rangeCount = groupNames.count + 1
        return withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * rangeCount) { ranges in
            ranges.initialize(repeating: -1)
            let found = bytes.withMemoryRebound(to: CChar.self) {
                apus_re2_find(
                    expression, $0.baseAddress, $0.count, start, anchored ? 1 : 0, ranges.baseAddress, Int32(truncatingIfNeeded: rangeCount)
                )
            }
            guard found else { return nil }
            return (0..<rangeCount).map { index in
                let (begin, end) = (Int(ranges[2 * index]), Int(ranges[2 * index + 1]))
                return begin < 0 ? nil : begin..<end
            }
        }
    }
}
