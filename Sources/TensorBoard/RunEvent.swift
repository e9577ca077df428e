import Foundation
import SwiftProtobuf

/// An event of a log that TensorBoard reads: what was known of a run after a step.
public struct RunEvent: Sendable {
  /// What an event says.
  public enum Content: Sendable {
    /// The first event of every file: which version of the format follows.
    case formatVersion
    /// A run starts, or goes on, with this event's step: what earlier files say of it and of later steps is superseded.
    case start
    /// Numbers by their names. TensorBoard keeps them in single precision; a group's name and a `/` before names bring
    /// curves together.
    case scalars([(tag: String, value: Double)])
    case image(tag: String, Picture)
    /// A text that TensorBoard shows as Markdown.
    case text(tag: String, markdown: String)
  }

  /// An image as the bytes of a PNG file.
  public struct Picture: Sendable {
    public var png: [UInt8]
    public var width: Int
    public var height: Int
    /// 1 (gray), 3 (RGB) or 4 (RGB and opacity).
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
  /// Seconds since 1970 began.
  public var time: Double

  public init(_ content: Content, step: Int, time: Double) {
    self.content = content
    self.step = step
    self.time = time
  }

  /// The event as a file holds it.
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
