/// A piece of a parsed template.
indirect enum TemplateNode: Sendable {
    case text(String)
    /// `{{ pipeline }}`; prints its value unless it declares or assigns.
    case action(TemplatePipeline, line: Int)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode], line: Int)
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode], line: Int)
    case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode], line: Int)
    /// `{{ template "name" pipeline }}`
    case call(String, TemplatePipeline?, line: Int)
    case breakLoop
    case continueLoop
}

/// Commands joined by `|`: the value of each is the last argument of the next one.
struct TemplatePipeline: Sendable {
    /// Variables that take the value: `$x := …`, `$i, $x := …`.
    var variables: [String] = []
    /// `=` instead of `:=`.
    var isAssignment = false
    /// Each a function or value with its arguments.
    var commands: [[TemplateOperand]] = []
}

indirect enum TemplateOperand: Sendable {
    case dot
    case none
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case variable(String)
    case function(String)
    case pipeline(TemplatePipeline)
    /// `operand.name`
    case field(TemplateOperand, String)
}

/// A token within `{{ }}`.
enum TemplateToken: Equatable {
    case identifier(String)
    /// With its point: `.Labels`.
    case field(String)
    /// With its dollar sign.
    case variable(String)
    case string(String)
    case int(Int64)
    case double(Double)
    case dot
    case pipe
    case open
    case close
    case declare
    case assign
    case comma
    case end
}
