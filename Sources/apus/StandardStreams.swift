import Foundation

/// What comes in.
enum StandardInput {
    /// All of it, as UTF-8.
    static func text() -> String {
        String(decoding: bytes(), as: UTF8.self)
    }

    /// All of it.
    static func bytes() -> [UInt8] {
        [UInt8](FileHandle.standardInput.readDataToEndOfFile())
    }
}

/// Where problems are told.
enum StandardError {
    /// Writes a line.
    static func write(_ line: String) {
        // What was printed before comes first, also where both end up in one file.
        fflush(nil)
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}
