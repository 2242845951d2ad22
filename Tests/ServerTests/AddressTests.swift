import Server
import Testing

/// Listen addresses.
@Suite("Listen address") struct AddressTests {
    /// A text, and host, port and whether only this machine reaches it; nil where it is no address.
    static let table: [(text: String, host: String?, port: Int, isLoopback: Bool)] = [
        ("127.0.0.1:2787", "127.0.0.1", 2787, true), (":80", "0.0.0.0", 80, false), ("[::1]:1", "::1", 1, true), ("[::]:1", "::", 1, false),
        ("localhost:0", "localhost", 0, true), ("127.8.9.10:1", "127.8.9.10", 1, true), ("127.0.0.1.example.com:1", "127.0.0.1.example.com", 1, false),
        ("10.0.0.1:1", "10.0.0.1", 1, false), ("2787", nil, 0, false), ("a:b", nil, 0, false), ("::1:80", nil, 0, false), ("h:70000", nil, 0, false),
        ("a b:1", nil, 0, false),
    ]

    @Test("host and port are read, and loopback is told from the rest", arguments: table.indices)
    func addresses(index: Int) {
        let row = Self.table[index]
        let address = ListenAddress(row.text)
        #expect(address?.host == row.host)
        guard let address else { return }
        #expect(address.port == row.port)
        #expect(address.isLoopback == row.isLoopback)
    }
}
