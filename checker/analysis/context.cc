#include "checker/analysis/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace cowvet {

namespace {

// Names may be 64 KiB long; in a place, which is copied to every finding and area, a recognizable part does.
std::string_view recognizable(std::string_view name) {
  return name.substr(0, 64);
}

}  // namespace

std::string SnapshotRecord::owner() const {
  return fmt::format("snapshot {} ({})", recognizable(snapshot.id), recognizable(snapshot.name));
}

std::string BitmapRecord::owner() const {
  return fmt::format("bitmap {}", recognizable(bitmap.name));
}

bool Context::read(const Device& device, std::uint64_t offset, std::span<std::byte> out, const Place& place) {
  const auto result = device.read(offset, out);
  if (result) return true;
  report_unreadable(result.error(), place);
  return false;
}

std::uint64_t Context::read_in_pieces(const Device& device, std::uint64_t offset, std::span<std::byte> out,
                                      const Place& place) {
  constexpr std::uint64_t kPieceBytes = 4096;
  if (device.read(offset, out)) return out.size();
  std::uint64_t whole = out.size();
  for (std::uint64_t at = 0; at < out.size();) {
    const std::uint64_t rest = kPieceBytes - (offset + at) % kPieceBytes;
    const std::span piece = out.subspan(at, std::min<std::uint64_t>(rest, out.size() - at));
    if (!read(device, offset + at, piece, place)) {
      whole = std::min(whole, at);
      std::ranges::fill(piece, std::byte{0});
    }
    at += piece.size();
  }
  return whole;
}

void Context::report_unreadable(const IoError& error, Place place) {
  if (!failed_reads.report(place.file, error)) return;
  place.offset = error.offset;
  place.length = error.length;
  const std::string_view what =
      place.structure == Structure::none ? "a part of the file" : to_string(place.structure);
  std::string detail =
      fmt::format("{} cannot be read: {}", what, std::generic_category().message(error.code));
  findings.add({.rule = rule("file/unreadable"), .place = std::move(place), .detail = std::move(detail)});
}

}  // namespace cowvet
