import Foundation
import SwiftProtobuf

/// An event in a log for TensorBoard: data of a run after a step.
public struct RunEvent: Sendable {
  /// The content of an event.
  public enum Content: Sendable {
    /// The first event of every file: the version of the format.
    case formatVersion
    /// A run starts or resumes at this event's step, which supersedes data of this and later steps in earlier files.
    case start
    /// Numbers with their names. TensorBoard stores them in single precision; names with a common prefix before `/` are
    /// grouped.
    case scalars([(tag: String, value: Double)])
    case image(tag: String, Picture)
    /// A text that TensorBoard shows as Markdown.
    case text(tag: String, markdown: String)
  }

  /// An image as the contents of a PNG file.
  public struct Picture: Sendable {
    public var png: [UInt8]
    public var width: Int
    public var height: Int
    /// 1 (grey), 3 (RGB) or 4 (RGB and opacity).
    public var channels: Int

    public init(png: [UInt8], width: Int, height: Int, channels: Int) {
      self.png = png
      self.width = width
      self.height = height
      self.channels = channels
    }
  }

  public var content: Content
  public var step: Int
  /// Seconds since 1 January 1970.
  public var time: Double

  public init(_ content: Content, step: Int, time: Double) {
    self.content = content
    self.step = step
    self.time = time
  }

  /// The event in the form stored in a file.
  public var record: [UInt8] {
    do {
      return Record.framed(try message.serializedBytes())
    } catch {
      preconditionFailure("a message of less than 2 GiB always serialises: \(error)")
    }
  }

  private var message: MessageEvent {
    var event = MessageEvent()
    event.wallTime = time
    event.step = Int64(step)
    switch content {
    case .formatVersion: event.fileVersion = "brain.Event:2"
    case .start: event.sessionLog.status = .start
    case .scalars(let scalars):
      event.summary.value = scalars.map { tag, value in
        MessageSummary.Value.with {
          $0.tag = tag
          $0.simpleValue = Float(value)
        }
      }
    case .image(let tag, let picture):
      event.summary.value = [
        .with {
          $0.tag = tag
          $0.image.width = Int32(picture.width)
          $0.image.height = Int32(picture.height)
          $0.image.colorspace = Int32(picture.channels)
          $0.image.encodedImageString = .init(picture.png)
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
