#include "repair/applier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

std::vector<File> files_of(const Changes& changes) {
  if (changes.data_file) return {File::image, File::data_file};
  return {File::image};
}

// How much of a change lies in the file on one side.
std::uint64_t length_on(const Changes& changes, const Change& change, Side side) {
  const std::uint64_t size = size_of(changes, change.target, side);
  return std::min(change.length, size - std::min(size, change.offset));
}

}  // namespace

std::uint64_t size_of(const Changes& changes, File target, Side side) {
  const ChangedFile& file = target == File::image ? changes.image : *changes.data_file;
  return side == Side::old_bytes ? file.old_size_bytes : file.new_size_bytes;
}

std::expected<std::vector<std::byte>, std::string> bytes_under_mark(const Changes& changes,
                                                                    const Change& change, Side side) {
  auto bytes = changes.read(change, side);
  if (!bytes) return bytes;
  bytes->resize(length_on(changes, change, side));
  if (holds_header(change) && can_be_marked(*bytes)) (*bytes)[kMarkOffset] |= kMark;
  return bytes;
}

std::expected<void, std::string> Applier::apply(Side side, const StopRequest& stop) {
  // Nothing may point to a structure before it is there, nor after it is gone.
  const bool forward = side == Side::new_bytes;
  const Phase first = forward ? Phase::structures : Phase::pointers;
  const Phase second = forward ? Phase::pointers : Phase::structures;
  if (auto done = mark(); !done) return done;
  if (auto done = grow(side); !done) return done;
  if (forward)
    if (auto done = reserve(); !done) return done;
  if (auto done = write_phase(side, first, stop); !done) return done;
  if (auto done = write_phase(side, second, stop); !done) return done;
  if (auto done = cut(side); !done) return done;
  return compare(side);
}

Applier::Done Applier::unmark(Side side) {
  const auto header = changes_.read_header(side);
  if (!header) return std::unexpected(header.error());
  if (!can_be_marked(*header) || is_marked(*header)) return {};
  if (auto put = files_.image.write(kMarkOffset, std::span(*header).subspan(kMarkOffset, 1)); !put)
    return failed("write", File::image, put.error());
  return flush();
}

Applier::Done Applier::mark() {
  std::array<std::byte, kHeaderV3Bytes> header{};
  if (auto read = files_.image.read(0, header); !read) return failed("read", File::image, read.error());
  if (!can_be_marked(header)) return {};
  header[kMarkOffset] |= kMark;
  if (auto put = files_.image.write(kMarkOffset, std::span(header).subspan(kMarkOffset, 1)); !put)
    return failed("write", File::image, put.error());
  return flush();
}

Applier::Done Applier::resize(File target, std::uint64_t size_bytes) {
  if (auto resized = files_.of(target).resize(size_bytes); !resized)
    return failed("resize", target, resized.error());
  return {};
}

Applier::Done Applier::grow(Side side) {
  for (const File target : files_of(changes_))
    if (files_.of(target).size_bytes() < size_of(changes_, target, side))
      if (auto done = resize(target, size_of(changes_, target, side)); !done) return done;
  return {};
}

Applier::Done Applier::cut(Side side) {
  bool is_cut = false;
  for (const File target : files_of(changes_)) {
    if (files_.of(target).size_bytes() <= size_of(changes_, target, side)) continue;
    if (auto done = resize(target, size_of(changes_, target, side)); !done) return done;
    is_cut = true;
  }
  return is_cut ? flush() : Done{};
}

Applier::Done Applier::reserve() {
  for (const Change& change : changes_.changes) {
    const std::uint64_t length = length_on(changes_, change, Side::new_bytes);
    if (auto done = files_.of(change.target).reserve(change.offset, length); !done)
      return failed("allocate space in", change.target, done.error());
  }
  return {};
}

Applier::Done Applier::write_phase(Side side, Phase phase, const StopRequest& stop) {
  for (const Change& change : changes_.changes) {
    if (change.phase != phase) continue;
    if (stop && stop()) return std::unexpected("interrupted");
    if (auto done = write(change, side); !done) return done;
  }
  return flush();
}

Applier::Done Applier::write(const Change& change, Side side) {
  WritableDevice& device = files_.of(change.target);
  const auto bytes = bytes_under_mark(changes_, change, side);
  if (!bytes) return std::unexpected(bytes.error());
  if (skip_) {
    std::vector<std::byte> there(bytes->size());
    if (device.read(change.offset, there) && there == *bytes) return {};
  }
  if (auto put = device.write(change.offset, *bytes); !put)
    return failed("write", change.target, put.error());
  return {};
}

Applier::Done Applier::flush() {
  for (const File target : files_of(changes_))
    if (auto flushed = files_.of(target).flush(); !flushed) {
      flush_failed_ = true;
      return failed("flush", target, flushed.error());
    }
  return {};
}

Applier::Done Applier::compare(Side side) {
  for (const Change& change : changes_.changes) {
    const auto bytes = bytes_under_mark(changes_, change, side);
    if (!bytes) return std::unexpected(bytes.error());
    std::vector<std::byte> there(bytes->size());
    if (auto read = files_.of(change.target).read(change.offset, there); !read)
      return failed("read", change.target, read.error());
    if (there != *bytes)
      return std::unexpected(fmt::format("{} does not hold at {:#x} what was written there",
                                         files_.of(change.target).name(), change.offset));
  }
  return {};
}

Applier::Done Applier::failed(std::string_view verb, File target, const IoError& error) const {
  return std::unexpected(describe_io_error(verb, files_.of(target).name(), error));
}

}  // namespace cowvet
