import HTTPTypes

/// The id that ties the log lines of one request together, across services.
enum RequestID {
    static let header = "x-request-id"
    static let field = HTTPField.Name(header)
    /// It goes into every log line: bounded, and plain.
    private static let byteCountMax = 128

    /// The caller's id if it is fit to be logged, else a new one.
    static func accepted(_ received: String?) -> String {
        if let received, !received.isEmpty, received.utf8.count <= byteCountMax,
            received.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return received
        }
        return Hexadecimal.text(.random(in: .min ... .max))
    }
}
