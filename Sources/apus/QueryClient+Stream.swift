import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension ServerOptions {
    /// Asks for an endless or very long answer of JSON lines, and hands over each as it comes; what is no log line goes to standard error.
    ///
    /// - Parameter timeout: nil: none.
    func stream(
        _ path: String, _ parameters: [(name: String, value: String)], timeout: TimeAmount? = .hours(24), _ take: (LogLine) -> Void
    ) async throws {
        let request = QueryClient.request(base: url, path: path, parameters: parameters, token: token)
        let response = try await HTTPClient.shared.execute(request, deadline: timeout.map { NIODeadline.now() + $0 } ?? .distantFuture)
        guard response.status == .ok else {
            throw LogQLQueryCommand.failure(String(buffer: try await response.body.collect(upTo: 1 << 20)))
        }
        var rest: [UInt8] = []
        let decoder = JSONDecoder()
        for try await buffer in response.body {
            rest.append(contentsOf: buffer.readableBytesView)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Data(rest[..<end])
                rest.removeSubrange(...end)
                if let line = try? decoder.decode(LogLine.self, from: line) { take(line) } else {
                    StandardError.write(String(decoding: line, as: UTF8.self) + "\n")
                }
            }
        }
    }
}
