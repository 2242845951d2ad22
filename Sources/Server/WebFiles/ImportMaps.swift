import Codecs
import Crypto

/// The inline import maps of a page: the only inline scripts that its policy allows, each by its digest (CSP 3, "hash-source").
enum ImportMaps {
    static func hashes(inPage page: String) -> [String] {
        var hashes: [String] = []
        var rest = page[...]
        while let open = find("<script", in: rest) {
            rest = rest[open.upperBound...]
            guard let tagEnd = rest.firstIndex(of: ">") else { break }
            let attributes = rest[..<tagEnd].lowercased()
            let content = rest[rest.index(after: tagEnd)...]
            guard let close = find("</script", in: content) else { break }
            if attributes.contains("importmap") {
                hashes.append(Base64.encode(Array(SHA256.hash(data: Array(content[..<close.lowerBound].utf8)))))
            }
            rest = content[close.upperBound...]
        }
        return hashes
    }

    /// The first place of `needle` (lower case ASCII), whatever its case in `text`.
    private static func find(_ needle: String, in text: Substring) -> Range<Substring.Index>? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == "<" {
                let candidate = text[index...].prefix(needle.count)
                if candidate.lowercased() == needle { return index..<candidate.endIndex }
            }
            index = text.index(after: index)
        }
        return nil
    }
}
