import SwiftProtobuf

/// An event in a log for TensorBoard: data of a run after a step.
package enum RunEvent: Sendable {
  /// The first event of every file: the version of the format.
  case formatVersion
  /// A run starts or resumes at this event's step, which supersedes data of this and later steps in earlier files.
  case start
  /// Numbers with their names. TensorBoard stores them in single precision; names with a common prefix before `/` are
  /// grouped.
  case scalars([(tag: String, value: Double)])
  /// An image as the contents of a PNG file; its channels are 1 (grey), 3 (RGB) or 4 (RGB and opacity).
  case image(tag: String, png: [UInt8], width: Int, height: Int, channels: Int)
  /// A text that TensorBoard shows as Markdown.
  case text(tag: String, markdown: String)

  /// The event in the form stored in a file.
  /// - Parameter time: seconds since 1 January 1970.
  package func record(step: Int, time: Double) -> [UInt8] {
    do {
      return Record.framed(try message(step: step, time: time).serializedBytes())
    } catch {
      preconditionFailure("a message of less than 2 GiB always serialises: \(error)")
    }
  }

  private func message(step: Int, time: Double) -> MessageEvent {
    var event = MessageEvent()
    event.wallTime = time
    event.step = Int64(step)
    switch self {
    case .formatVersion: event.fileVersion = "brain.Event:2"
    case .start: event.sessionLog.status = .start
    case .scalars(let scalars):
      event.summary.value = scalars.map { tag, value in
        MessageSummary.Value.with {
          $0.tag = tag
          $0.simpleValue = Float(value)
        }
      }
    case .image(let tag, let png, let width, let height, let channels):
      event.summary.value = [
        .with {
          $0.tag = tag
          $0.image.width = Int32(width)
          $0.image.height = Int32(height)
          $0.image.colorspace = Int32(channels)
          $0.image.encodedImageString = .init(png)
        }
      ]
    case .text(let tag, let markdown):
      event.summary.value = [
        .with {
          $0.tag = tag
          $0.metadata.pluginData.pluginName = "text"
          $0.metadata.dataClass = .tensor
          $0.tensor.dtype = .dtString
          $0.tensor.tensorShape = .init()
          $0.tensor.stringVal = [.init(markdown.utf8)]
        }
      ]
    }
    return event
  }
}
