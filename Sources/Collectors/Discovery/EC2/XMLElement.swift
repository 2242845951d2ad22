/// An element of an XML document: enough for the answers of AWS (no namespaces, attributes dropped).
struct XMLElement: Sendable {
    var name: String
    var children: [XMLElement] = []
    /// The text in it, entities resolved.
    var text = ""

    /// The first child of that name.
    subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the first child of that name; nil where it is absent or empty.
    func value(_ name: String) -> String? {
        guard let text = self[name]?.text, !text.isEmpty else { return nil }
        return text
    }

    /// The `item`s of a list.
    func items(_ name: String) -> [XMLElement] { self[name]?.children.filter { $0.name == "item" } ?? [] }

    /// The first element of that name anywhere below.
    func first(_ name: String) -> XMLElement? {
        for child in children {
            if child.name == name { return child }
            if let found = child.first(name) { return found }
        }
        return nil
    }
}

extension XMLElement {
    private static let depthMax = 100

    /// - Throws: ``DiscoveryError`` with the byte where the document is damaged.
    init(parsing bytes: [UInt8]) throws(DiscoveryError) {
        var parser = Parser(bytes: bytes)
        self = try parser.document()
    }

    private struct Parser {
        let bytes: [UInt8]
        var offset = 0
        /// The elements that are open, the document itself first: depth comes from outside, so it is no recursion.
        var stack = [XMLElement(name: "")]

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func document() throws(DiscoveryError) -> XMLElement {
            while offset < bytes.count {
                if bytes[offset] != UInt8(ascii: "<") {
                    let start = offset
                    while offset < bytes.count, bytes[offset] != UInt8(ascii: "<") { offset += 1 }
                    stack[stack.count - 1].text += Self.resolve(bytes[start..<offset])
                } else if starts(with: "<!--") {
                    try skip(past: "-->")
                } else if starts(with: "<![CDATA[") {
                    let start = offset + 9
                    try skip(past: "]]>")
                    stack[stack.count - 1].text += String(decoding: bytes[start..<(offset - 3)], as: UTF8.self)
                } else if starts(with: "<?") {
                    try skip(past: "?>")
                } else if starts(with: "<!") {
                    // It could define entities without end; none of AWS' answers has one.
                    throw error("a document type is not read")
                } else {
                    try tag()
                }
            }
            guard stack.count == 1, let root = stack[0].children.first else { throw error("the document is cut short") }
            return root
        }

        private mutating func tag() throws(DiscoveryError) {
            let start = offset + 1
            try skip(past: ">")
            let tag = bytes[start..<(offset - 1)]
            if tag.first == UInt8(ascii: "/") {
                guard stack.count > 1, let element = stack.popLast(), Self.name(tag.dropFirst()) == element.name else {
                    throw error("an end tag without its start")
                }
                stack[stack.count - 1].children.append(element)
            } else if tag.last == UInt8(ascii: "/") {
                stack[stack.count - 1].children.append(XMLElement(name: Self.name(tag.dropLast())))
            } else {
                guard stack.count < XMLElement.depthMax else { throw error("more than \(XMLElement.depthMax) levels") }
                stack.append(XMLElement(name: Self.name(tag)))
            }
        }

        private static func name(_ tag: ArraySlice<UInt8>) -> String {
            String(decoding: tag.prefix { $0 > 32 }, as: UTF8.self)
        }

        private func starts(with text: StaticString) -> Bool {
            let length = text.utf8CodeUnitCount
            guard offset + length <= bytes.count else { return false }
            return text.withUTF8Buffer { buffer in buffer.elementsEqual(bytes[offset..<(offset + length)]) }
        }

        private mutating func skip(past text: StaticString) throws(DiscoveryError) {
            while offset < bytes.count {
                if starts(with: text) {
                    offset += text.utf8CodeUnitCount
                    return
                }
                offset += 1
            }
            throw error("\(text) is missing")
        }

        private func error(_ message: String) -> DiscoveryError { DiscoveryError("XML: \(message) at byte \(offset)") }

        /// Resolves `&amp;`, `&#65;` and their like; what is none of them stays.
        private static func resolve(_ bytes: ArraySlice<UInt8>) -> String {
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.contains("&") else { return text }
            var result = ""
            var rest = text[...]
            while let start = rest.firstIndex(of: "&") {
                result += rest[..<start]
                rest = rest[start...]
                guard let end = rest.firstIndex(of: ";"), let character = entity(rest[rest.index(after: start)..<end]) else {
                    result += "&"
                    rest = rest.dropFirst()
                    continue
                }
                result += character
                rest = rest[rest.index(after: end)...]
            }
            return result + rest
        }

        private static func entity(_ name: Substring) -> String? {
            switch name {
            case "amp": return "&"
            case "lt": return "<"
            case "gt": return ">"
            case "quot": return "\""
            case "apos": return "'"
            default:
                let value =
                    name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
                return value.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
            }
        }
    }
}
