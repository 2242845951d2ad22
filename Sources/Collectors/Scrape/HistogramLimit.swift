import Formats
import Glibc
import Telemetry

extension ScrapeFormats {
    /// Makes histograms as coarse as the configuration wants them.
    ///
    /// - Throws: where one cannot be made coarse enough.
    func limit(_ histogram: inout NativeHistogram) throws(ScrapeError) {
        guard bucketCountMax > 0 || schemaMax < NativeHistogram.schemas.upperBound else { return }
        if histogram.schema > schemaMax { histogram.coarsen(to: schemaMax) }
        guard bucketCountMax > 0 else { return }
        while histogram.bucketCount > bucketCountMax {
            guard histogram.isExponential, histogram.schema > NativeHistogram.schemas.lowerBound else {
                throw ScrapeError(
                    "histogram bucket limit exceeded: \(histogram.bucketCount) buckets with schema \(histogram.schema), at most \(bucketCountMax)")
            }
            histogram.coarsen(to: histogram.schema - 1)
        }
    }

    /// The schema whose buckets grow at least by `factor` (scrape.go, `pickSchema`).
    static func schema(minimumFactor factor: Double) -> Int32 {
        let growth = factor <= 1 ? 1.00271 : factor
        let schema = (-log2(log2(growth))).rounded(.down)
        let range = NativeHistogram.schemas
        guard schema < Double(range.upperBound) else { return range.upperBound }
        return schema > Double(range.lowerBound) ? Int32(schema) : range.lowerBound
    }
}
