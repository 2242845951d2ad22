/// The `logfmt` stage: `key=value key="quoted value" key`.
struct LogfmtStage {
    /// A broken pair is an error; otherwise it is skipped.
    let isStrict: Bool
    /// Keys without a value become labels too (without effect on results, where empty labels do not show).
    let keepsEmpty: Bool
    /// The keys to take, and their labels; empty: every key.
    let extractions: [(label: String, key: String)]
    let names: FieldNames

    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        names.beginLine()
        var position = line.startIndex
        for (label, _) in extractions { labels.set(labels.parsedName(label), "") }
        while let pair = next(line, &position) {
            if pair.isBroken {
                if isStrict {
                    labels.fail(
                        ErrorLabel.logfmt, "logfmt syntax error at pos \(pair.key.lowerBound - line.startIndex + 1) : \(pair.fault)")
                    return
                }
                continue
            }
            guard !pair.key.isEmpty else { continue }
            if pair.value.isEmpty, !keepsEmpty, extractions.isEmpty { continue }
            if extractions.isEmpty {
                let field = names.index(line[pair.key], in: FieldNames.root) { String(decoding: line[pair.key], as: UTF8.self) }
                if let name = names.label(field, among: labels) { labels.set(name, value(line, pair)) }
            } else {
                let key = String(decoding: line[pair.key], as: UTF8.self)
                for (label, wanted) in extractions where wanted == key { labels.set(labels.parsedName(label), value(line, pair)) }
            }
        }
    }

    private struct Pair {
        var key: Range<Int>
        var value: Range<Int>
        var isEscaped = false
        var fault = ""
        var isBroken: Bool { !fault.isEmpty }
    }

    private func value(_ line: ArraySlice<UInt8>, _ pair: Pair) -> String {
        guard pair.isEscaped else { return String(decoding: line[pair.value], as: UTF8.self) }
        return JSONScanner(line).text(pair.value, isEscaped: true)
    }

    private func next(_ line: ArraySlice<UInt8>, _ position: inout Int) -> Pair? {
        while position < line.endIndex, line[position] <= 0x20 { position += 1 }
        guard position < line.endIndex else { return nil }
        let start = position
        while position < line.endIndex, line[position] > 0x20, line[position] != UInt8(ascii: "="), line[position] != UInt8(ascii: "\"") {
            position += 1
        }
        let key = start..<position
        guard position < line.endIndex, line[position] > 0x20 else { return Pair(key: key, value: position..<position) }
        guard line[position] == UInt8(ascii: "="), !key.isEmpty else {
            skipToBlank(line, &position)
            return Pair(key: key, value: key, fault: key.isEmpty ? "unexpected '='" : "unexpected '\"'")
        }
        position += 1
        guard position < line.endIndex, line[position] == UInt8(ascii: "\"") else {
            let valueStart = position
            var fault = ""
            while position < line.endIndex, line[position] > 0x20 {
                if line[position] == UInt8(ascii: "=") || line[position] == UInt8(ascii: "\"") {
                    fault = "unexpected '\(Character(Unicode.Scalar(line[position])))'"
                }
                position += 1
            }
            return Pair(key: key, value: valueStart..<position, fault: isStrict ? fault : "")
        }
        return quoted(line, &position, key: key)
    }

    private func quoted(_ line: ArraySlice<UInt8>, _ position: inout Int, key: Range<Int>) -> Pair {
        position += 1
        let start = position
        var isEscaped = false
        while position < line.endIndex {
            switch line[position] {
            case UInt8(ascii: "\\"):
                isEscaped = true
                position = min(position + 2, line.endIndex)
            case UInt8(ascii: "\""):
                position += 1
                return Pair(key: key, value: start..<position - 1, isEscaped: isEscaped)
            default: position += 1
            }
        }
        return Pair(key: key, value: start..<start, fault: "unterminated quoted value")
    }

    private func skipToBlank(_ line: ArraySlice<UInt8>, _ position: inout Int) {
        while position < line.endIndex, line[position] > 0x20 { position += 1 }
    }
}
