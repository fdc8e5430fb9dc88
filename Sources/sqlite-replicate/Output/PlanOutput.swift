import SQLiteReplicate

/// A plan of two hosts, for people.
struct PlanOutput {
    let plan: TwoHostPlan
    /// What its owner should know.
    let remarks: [String]
    /// Where the files were written, if they were.
    let folder: String?

    init(_ plan: TwoHostPlan, remarks: [String], folder: String?) {
        (self.plan, self.remarks, self.folder) = (plan, remarks, folder)
    }

    var text: String {
        var text = ""
        for (name, content) in [("a.yml", plan.fileA), ("b.yml", plan.fileB)] {
            text += "# \(folder.map { "\($0)/\(name)" } ?? name)\n\(content)\n"
        }
        text += "VARIABLES, on both hosts\n"
        var table = TextTable("name", "what it is")
        for (name, meaning) in plan.variables { table.add(name, meaning) }
        text += table.text + "\nSTEPS\n"
        for (index, step) in plan.steps.enumerated() {
            text += "\(index + 1). on \(step.place): \(step.purpose)\n"
            for command in step.commands { text += "     \(command)\n" }
        }
        if !remarks.isEmpty { text += "\nTO KNOW\n" + remarks.map { "- \($0)\n" }.joined() }
        return text + "\n" + Self.losses
    }

    /// What is lost in which fault.
    static var losses: String {
        var text = "FAULTS, while a is primary\n"
        for (title, side) in [
            ("without a witness", \TwoHostLosses.withoutWitness), ("with a witness", \TwoHostLosses.withWitness),
        ] {
            var table = TextTable(title, "who writes", "what is lost")
            for fault in TwoHostLosses.all {
                table.add(fault.fault, fault[keyPath: side].writes, fault[keyPath: side].lost)
            }
            text += table.text + "\n"
        }
        return text
            + "A commit is replicated once it lies in the store on the other host; 'replicate()' of a node waits for that.\n"
    }
}
