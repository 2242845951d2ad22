import Codecs
import Settings

extension ConfiguredSecret {
    /// The secret, without white space around it if it stands in a file.
    ///
    /// - Throws: ``HTTPFailure`` where the file cannot be read.
    package var text: String {
        get throws(HTTPFailure) {
            switch self {
            case .text(let text): return text
            case .file(let path):
                do {
                    let text = try ConfigurationFile.text(path: path)
                    let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex
                    return String(text[..<end].drop { $0.isWhitespace })
                } catch {
                    throw HTTPFailure(.options, "unable to read a file of the HTTP client's options: \(error)")
                }
            }
        }
    }

    /// How errors call it: never the secret itself.
    var place: String {
        switch self {
        case .text: "inline"
        case .file(let path): "file \(path)"
        }
    }
}

extension HTTPAuthorization {
    /// The value of the header `Authorization`; nil where there is none, or where a token must be fetched first.
    package var header: String? {
        get throws(HTTPFailure) {
            switch self {
            case .none, .oauth2: return nil
            case .basic(let username, let password):
                return Self.basicHeader(username: try username.text, password: try password.text)
            case .credentials(let scheme, let secret):
                let credentials = try secret.text
                return credentials.isEmpty ? scheme : scheme + " " + credentials
            }
        }
    }

    static func basicHeader(username: String, password: String) -> String {
        "Basic " + Base64.encode(Array((username + ":" + password).utf8))
    }
}
