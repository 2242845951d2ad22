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

    /// The operator on a column of floats and a scalar for each step: the loops that have no branch for each sample's kind.
    func apply(_ values: inout [Double], _ scalars: [Double], scalarIsLeft: Bool) {
        if operation.isComparison {
            for step in values.indices where !Absent.holds(values[step]) {
                let value = values[step]
                let holds =
                    scalarIsLeft
                    ? FloatArithmetic.holds(operation, scalars[step], value) : FloatArithmetic.holds(operation, value, scalars[step])
                if returnsBool { values[step] = holds ? 1 : 0 } else if !holds { values[step] = Absent.value }
            }
            return
        }
        if operation.isTrim {
            for step in values.indices where !Absent.holds(values[step]) {
                noteTypes(nil, nil)
                values[step] = Absent.value
            }
            return
        }
        for step in values.indices where !Absent.holds(values[step]) {
            values[step] =
                scalarIsLeft
                ? FloatArithmetic.apply(operation, scalars[step], values[step])
                : FloatArithmetic.apply(operation, values[step], scalars[step])
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
            return returnsBool ? Outcome(value: holds ? 1 : 0) : holds ? Outcome(value: kept.value, histogram: kept.histogram) : Outcome()
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
            return returnsBool ? Outcome(value: holds ? 1 : 0) : holds ? Outcome(value: kept.value, histogram: kept.histogram) : Outcome()
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
