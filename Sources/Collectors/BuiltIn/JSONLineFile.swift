package import Codecs
import Formats
import Glibc

/// A file that gets a JSON object a line, as Prometheus' logs of scrapes and of queries do.
///
/// It is opened for each line: it may be moved away at any time.
package struct JSONLineFile: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Appends an object whose first field is the time.
    ///
    /// - Parameters:
    ///   - fields: writes the other fields.
    ///   - nanoseconds: since the Unix epoch.
    /// - Returns: why the line could not be written; nil where it was.
    package func append(_ fields: (inout JSONWriter) -> Void, at nanoseconds: Int64) -> String? {
        var json = JSONWriter()
        json.beginObject()
        json.field("time", RFC3339.text(nanoseconds: nanoseconds, digits: 3))
        fields(&json)
        json.endObject()
        let line = json.bytes + [UInt8(ascii: "\n")]
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        // One write: lines of several writers do not mix.
        let written = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        return written == line.count ? nil : String(cString: strerror(errno))
    }
}
