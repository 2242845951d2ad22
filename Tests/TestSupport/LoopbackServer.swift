import Foundation
import Glibc
import Synchronization

/// A tiny HTTP/1.1 server on a free loopback port, for tests of clients: every request is answered by a closure, which may also
/// never answer, or answer without end.
package final class LoopbackServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// Path and query.
        package var target: String
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]
    }

    package enum Response: Sendable {
        case answer(status: Int, headers: [String: String], body: [UInt8])
        /// Accepts the request and says nothing.
        case silence
        /// A head, then bytes for ever.
        case endless(chunk: [UInt8])
        /// A head, then what the closure returns, piece by piece; it may block. nil ends the answer.
        case pieces(contentType: String, next: @Sendable () -> [UInt8]?)
        /// Closes the connection at once.
        case hangUp

        package static func text(_ text: String, status: Int = 200, contentType: String = "text/plain; version=0.0.4")
            -> Response
        {
            .answer(status: status, headers: ["Content-Type": contentType], body: Array(text.utf8))
        }
    }

    package let port: Int
    package var url: String { "http://127.0.0.1:\(port)" }
    private let listener: Int32
    private let isStopped = Mutex(false)
    private let received = Mutex<[Request]>([])

    /// - Parameter unixSocket: a path to listen on instead of a port.
    package init(unixSocket: String? = nil, _ answer: @escaping @Sendable (Request) -> Response) throws {
        if let unixSocket {
            listener = try Self.listen(path: unixSocket)
            port = 0
        } else {
            (listener, port) = try Self.listenOnLoopback()
        }
        let listening = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listening, nil, nil)
                guard connection >= 0 else { return }
                guard let self, !self.isStopped.withLock({ $0 }) else {
                    close(connection)
                    return
                }
                Thread.detachNewThread { [weak self] in
                    self?.serve(connection, answer)
                    close(connection)
                }
            }
        }
    }

    private static func listen(path: String) throws -> Int32 {
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw POSIXError(.ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listening, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && Glibc.listen(listening, 64) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        return listening
    }

    private static func listenOnLoopback() throws -> (listener: Int32, port: Int) {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listening, pointer, length) == 0 && Glibc.listen(listening, 64) == 0
                    && getsockname(listening, pointer, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        return (listening, Int(UInt16(bigEndian: address.sin_port)))
    }

    deinit {
        stop()
    }

    /// The requests so far.
    package var requests: [Request] { received.withLock { $0 } }

    /// Stops listening.
    package func stop() {
        let wasStopped = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return isStopped
        }
        guard !wasStopped else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32, _ answer: @Sendable (Request) -> Response) {
        var buffer: [UInt8] = []
        while let request = Self.read(connection, &buffer) {
            received.withLock { $0.append(request) }
            switch answer(request) {
            case .answer(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.count)\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                guard Self.write(connection, Array((head + "\r\n").utf8) + body) else { return }
            case .silence:
                var byte: UInt8 = 0
                _ = recv(connection, &byte, 1, 0)
                return
            case .endless(let chunk):
                guard
                    Self.write(
                        connection,
                        Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n".utf8))
                else { return }
                while !isStopped.withLock({ $0 }), Self.write(connection, chunk) {}
                return
            case .pieces(let contentType, let next):
                let head = "HTTP/1.1 200 OK\r\nContent-Type: \(contentType)\r\nConnection: close\r\n\r\n"
                guard Self.write(connection, Array(head.utf8)) else { return }
                while !isStopped.withLock({ $0 }), let piece = next(), Self.write(connection, piece) {}
                return
            case .hangUp: return
            }
        }
    }

    private static func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Request? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = buffer.indices.first(where: { buffer[$0...].starts(with: separator) }) {
                let lines = String(decoding: buffer[..<end], as: UTF8.self).components(separatedBy: "\r\n")
                let words = lines[0].split(separator: " ")
                guard words.count >= 2 else { return nil }
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    if parts.count == 2 {
                        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                    }
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                if buffer.count >= end + 4 + length {
                    let body = Array(buffer[(end + 4)..<(end + 4 + length)])
                    buffer.removeFirst(end + 4 + length)
                    return Request(method: String(words[0]), target: String(words[1]), headers: headers, body: body)
                }
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            buffer += chunk[..<count]
        }
    }

    private static func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
