import Telemetry

/// An operator on two samples: floats, histograms, or one of each.
struct PairOperator {
    private let operation: BinaryOperator
    private let returnsBool: Bool
    private let annotations: Annotations
    private let place: SourceRange

    init(_ node: PromQLExpression.BinaryOperation, _ annotations: Annotations) {
        operation = node.operation
        returnsBool = node.returnsBool
        place = node.place
        self.annotations = annotations
    }

    /// One side's sample.
    struct Operand {
        var value: Double
        var histogram: NativeHistogram?

        init(value: Double) { self.value = value }

        init(_ series: Series, _ step: Int) {
            value = series.values[step]
            histogram = series.histogram(at: step)
        }
    }

    /// The result: a float, a histogram or nothing.
    struct Outcome {
        var value = Absent.value
        var histogram: NativeHistogram?

        func store(in series: inout Series, at step: Int) {
            if let histogram { series.set(histogram, at: step) } else { series.values[step] = value }
        }
    }

    /// The operator on two columns of floats, into the first. Absent on either side is absent; a comparison without `bool` keeps
    /// the value of the first.
    func apply(_ values: inout [Double], _ others: [Double], scalarIsLeft: Bool) {
        switch operation {
        case .add: arithmetic(&values, others) { $0 + $1 }
        case .multiply: arithmetic(&values, others) { $0 * $1 }
        case .subtract where !scalarIsLeft: arithmetic(&values, others) { $0 - $1 }
        case .divide where !scalarIsLeft: arithmetic(&values, others) { $0 / $1 }
        case .trimUpper, .trimLower:
            for step in values.indices where !Absent.holds(values[step]) && !Absent.holds(others[step]) {
                noteTypes(nil, nil)
            }
            for step in values.indices { values[step] = Absent.value }
        case _ where operation.isComparison:
            let operation = operation
            let returnsBool = returnsBool
            arithmetic(&values, others) { value, other in
                let holds =
                    scalarIsLeft
                    ? FloatArithmetic.holds(operation, other, value) : FloatArithmetic.holds(operation, value, other)
                return returnsBool ? (holds ? 1 : 0) : holds ? value : Absent.value
            }
        default:
            let operation = operation
            arithmetic(&values, others) {
                scalarIsLeft ? FloatArithmetic.apply(operation, $1, $0) : FloatArithmetic.apply(operation, $0, $1)
            }
        }
    }

    @inline(__always)
    private func arithmetic(_ values: inout [Double], _ others: [Double], _ function: (Double, Double) -> Double) {
        let count = min(values.count, others.count)
        // SAFETY: `step` stays below both counts; neither buffer outlives its call.
        others.withUnsafeBufferPointer { others in
            values.withUnsafeMutableBufferPointer { values in
                for step in 0..<count {
                    let (a, b) = (values[step], others[step])
                    values[step] = Absent.holds(a) || Absent.holds(b) ? Absent.value : function(a, b)
                }
            }
        }
    }

    /// The operator on two samples. A comparison without `bool` gives `kept`, where it holds.
    func apply(_ left: Operand, _ right: Operand, kept: Operand) -> Outcome {
        switch (left.histogram, right.histogram) {
        case (nil, nil): return floats(left.value, right.value, kept)
        case (let histogram?, nil): return histogramFloat(histogram, right.value)
        case (nil, let histogram?):
            if operation == .multiply { return Outcome(histogram: histogram.scaled(by: left.value)) }
            noteTypes(nil, histogram)
            return Outcome()
        case (let a?, let b?): return histograms(a, b, kept)
        }
    }

    private func floats(_ left: Double, _ right: Double, _ kept: Operand) -> Outcome {
        if operation.isComparison {
            let holds = FloatArithmetic.holds(operation, left, right)
            return returnsBool
                ? Outcome(value: holds ? 1 : 0)
                : holds ? Outcome(value: kept.value, histogram: kept.histogram) : Outcome()
        }
        if operation.isTrim {
            noteTypes(nil, nil)
            return Outcome()
        }
        return Outcome(value: FloatArithmetic.apply(operation, left, right))
    }

    private func histogramFloat(_ histogram: NativeHistogram, _ value: Double) -> Outcome {
        switch operation {
        case .multiply: return Outcome(histogram: histogram.scaled(by: value))
        case .divide: return Outcome(histogram: histogram.divided(by: value))
        case .trimUpper: return Outcome(histogram: histogram.trimmed(to: value, keepsLower: true))
        case .trimLower: return Outcome(histogram: histogram.trimmed(to: value, keepsLower: false))
        default:
            noteTypes(histogram, nil)
            return Outcome()
        }
    }

    private func histograms(_ left: NativeHistogram, _ right: NativeHistogram, _ kept: Operand) -> Outcome {
        switch operation {
        case .add, .subtract:
            var result = left
            do {
                let notes = operation == .add ? try result.add(right) : try result.subtract(right)
                let name = operation == .add ? "addition" : "subtraction"
                if notes.resetsConflict { annotations.conflictingResets(during: name, at: place) }
                if notes.boundsReconciled { annotations.reconciledBounds(during: name, at: place) }
                // A difference may be negative: it is no counter any more.
                if operation == .subtract { result.resetHint = .gauge }
                return Outcome(histogram: result)
            } catch {
                annotations.incompatibleBuckets(operation.rawValue, at: place)
                return Outcome()
            }
        case .equal, .notEqual:
            let holds = left.hasSameObservations(as: right) == (operation == .equal)
            return returnsBool
                ? Outcome(value: holds ? 1 : 0)
                : holds ? Outcome(value: kept.value, histogram: kept.histogram) : Outcome()
        default:
            noteTypes(left, right)
            return Outcome()
        }
    }

    private func noteTypes(_ left: NativeHistogram?, _ right: NativeHistogram?) {
        annotations.incompatibleTypes(
            left == nil ? "float" : "histogram", operation.rawValue, right == nil ? "float" : "histogram", at: place)
    }
}
