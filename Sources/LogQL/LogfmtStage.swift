/// The `logfmt` stage: `key=value key="quoted value" key`.
struct LogfmtStage {
    /// A broken pair is an error; otherwise it is skipped.
    let isStrict: Bool
    /// Keys without a value become labels too (without effect on results, where empty labels do not show).
    let keepsEmpty: Bool
    /// The keys to take, and their labels; empty: every key.
    let extractions: [(label: String, key: String)]
    let names: FieldNames
    var hints = ParserHints.none

    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        if hints.isSatisfied(by: labels) { return }
        names.beginLine()
        for (label, _) in extractions where !labels.hasConflict(label) { labels.set(label, "") }
        var reader = LogfmtReader(line, stopsAtFault: isStrict)
        while let pair = reader.next() {
            guard !pair.key.isEmpty else { continue }
            if extractions.isEmpty {
                if pair.value.isEmpty, !keepsEmpty { continue }
                let field = names.index(line[pair.key], in: FieldNames.root) { String(decoding: line[pair.key], as: UTF8.self) }
                guard let name = names.label(field, among: labels) else { continue }
                labels.setParsed(name, reader.text(pair))
                if hints.isSatisfied(by: labels) { break }
            } else {
                let key = LabelName.sanitized(String(decoding: line[pair.key], as: UTF8.self))
                for (label, wanted) in extractions where wanted == key { labels.set(labels.parsedName(label), reader.text(pair)) }
            }
        }
        if isStrict, let fault = reader.fault { labels.fail(ErrorLabel.logfmt, fault.description) }
    }
}
