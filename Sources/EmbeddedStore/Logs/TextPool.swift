/// Lists of texts that many heads of blocks have alike, held once: a service writes the same templates hour after hour.
struct TextPool: Sendable {
    private var lists: Set<[[UInt8]]> = []
    /// About what the lists take in memory.
    private(set) var byteCount = 0

    /// The list that is equal to `texts`, from now on perhaps `texts` itself.
    mutating func shared(_ texts: [[UInt8]]) -> [[UInt8]] {
        let (isNew, list) = lists.insert(texts)
        if isNew { byteCount += texts.reduce(64) { $0 + $1.count + 48 } }
        return list
    }
}

extension LogBlockHead {
    /// Takes its texts from a pool, as far as that has them.
    mutating func share(with pool: inout TextPool) {
        for index in templates.indices { templates[index].pieces = pool.shared(templates[index].pieces) }
        for index in fields.indices {
            fields[index].path = pool.shared(fields[index].path)
            if case .dictionary(let texts) = fields[index].encoding { fields[index].encoding = .dictionary(pool.shared(texts)) }
        }
    }

    /// About what it takes in memory beside its templates' pieces, paths and dictionaries.
    var ownByteCount: Int {
        var count = 512 + restFilter.words.count * 8 + checksums.count * 4
        for template in templates { count += 64 + template.fields.count * 8 }
        for field in fields {
            count += 192
            switch field.encoding {
            case .text(let filter): count += filter.words.count * 8
            case .number(let number): count += number.exceptions.byteCount
            case .time(let time): count += time.exceptions.byteCount
            case .dictionary, .digits: continue
            }
        }
        return count
    }
}
