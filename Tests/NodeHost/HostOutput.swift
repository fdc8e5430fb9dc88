import Foundation

/// Writes one line to standard output.
func say(_ line: String) {
    let text = line.split(separator: "\n").joined(separator: " ") + "\n"
    FileHandle.standardOutput.write(Data(text.utf8))
}
