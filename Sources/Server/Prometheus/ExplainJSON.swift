import Codecs
import Query
import Settings
import Telemetry

/// The plan of an evaluated query as a tree.
enum ExplainJSON {
    static func write(_ node: PlanNode, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("operator", node.name)
        json.field("expression", node.expression)
        if !node.strategy.isEmpty { json.field("strategy", node.strategy) }
        json.field("series", node.seriesCount)
        json.field("samples", node.sampleCount)
        json.field("milliseconds", node.duration.seconds * 1_000)
        json.field("blocksRead", node.scan.blocksRead)
        json.field("blocksSkipped", node.scan.blocksSkipped)
        json.field("bytesRead", node.scan.bytesRead)
        json.field("partsRead", node.scan.partsRead)
        json.field("partsSkipped", node.scan.partsSkipped)
        json.key("children")
        json.beginArray()
        for child in node.children { write(child, &json) }
        json.endArray()
        json.endObject()
    }
}
