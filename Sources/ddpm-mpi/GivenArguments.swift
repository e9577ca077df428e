import CArguments

/// The words of the command line after the program's name.
///
/// Swift's own `CommandLine.arguments` looks for them in front of the environment. It is empty if a library that is loaded
/// with the program has added a variable, as hwloc 2.7 does: the environment has then moved.
let givenArguments: [String] = {
  var words: [String] = []
  while let word = ddpm_argument(Int32(words.count + 1)) { words.append(String(cString: word)) }
  return words
}()
