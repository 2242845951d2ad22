import Codecs
import Telemetry

extension PartReader {
    /// A block of logs, opened.
    ///
    /// - Parameter place: the page's number and the chunk's position in it, where its head is worth keeping.
    func logBlock(
        _ chunk: ValuePage.Chunk, of page: ValuePage, at place: (page: Int, position: Int)? = nil
    ) throws(PartFailure) -> LogBlockReader {
        let source =
            page.isWhole
            ? LogSectionSource(page.bytes, at: Int(chunk.offset))
            : LogSectionSource { (range) throws(DecodeError) in try self.load(range, of: chunk, page) }
        if let place, let known = part.outline(place.page, place.position) { return LogBlockReader(known, source) }
        let range = Int(chunk.offset)..<min(chunk.bytes.upperBound, page.bytes.count)
        guard range.lowerBound <= page.bytes.count else { throw part.damaged("a chunk", page.fileOffset, "it has no head") }
        let outline: LogBlockOutline
        do throws(DecodeError) {
            outline = try LogBlockOutline(
                page.bytes, range, byteCount: Int(chunk.byteCount), rowCount: Int(chunk.rowCount), version: part.footer.version,
                share: place == nil ? nil : { self.part.share(&$0) })
        } catch {
            throw damaged(chunk, of: page, error)
        }
        if let place { part.keep(outline, place.position, of: page, place.page) }
        return LogBlockReader(outline, source)
    }

    /// The times of a chunk of logs.
    func logTimes(_ chunk: ValuePage.Chunk, of page: ValuePage) throws(PartFailure) -> [Int64] {
        let block = try logBlock(chunk, of: page)
        do throws(DecodeError) {
            return try block.readTimes(first: chunk.minTime, last: chunk.maxTime)
        } catch {
            throw damaged(chunk, of: page, error)
        }
    }

    /// The rows of a chunk of logs with the wanted columns and fields.
    ///
    /// - Parameter fields: names of JSON fields. Where the block has them, and the lines are not wanted, the line column holds only the
    ///   lines that were not taken apart.
    func logs(
        _ chunk: ValuePage.Chunk, of page: ValuePage, columns: ScanRequest.Columns, fields: [String]
    ) throws(PartFailure) -> Run {
        count(chunk)
        let block = try logBlock(chunk, of: page)
        do throws(DecodeError) {
            let timestamps = try block.readTimes(first: chunk.minTime, last: chunk.maxTime)
            return Run(timestamps: timestamps, rows: .logs(try block.read(timestamps, columns, fields: fields)))
        } catch {
            throw damaged(chunk, of: page, error)
        }
    }

    /// Whether a row of a chunk of logs may hold all that lines must.
    func logsMayHold(_ chunk: ValuePage.Chunk, of page: ValuePage, _ predicates: ScanPredicates) throws(PartFailure) -> Bool {
        if predicates.contained.isEmpty { return true }
        let block = try logBlock(chunk, of: page)
        do throws(DecodeError) {
            let rows = try block.rows(holding: predicates.contained) { () throws(DecodeError) in
                try block.readTimes(first: chunk.minTime, last: chunk.maxTime)
            }
            return rows != .none
        } catch {
            throw damaged(chunk, of: page, error)
        }
    }
}
