#include "checker/analysis/context.h"

#include <fmt/format.h>

#include <system_error>

namespace cowvet {

namespace {

// Names may be 64 KiB long; in a place, which is copied to every finding and area, a recognizable part does.
std::string_view recognizable(std::string_view name) {
  return name.substr(0, 256);
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
  Place where = place;
  where.offset = result.error().offset;
  where.length = result.error().length;
  findings.add({.rule = rule("file/unreadable"),
                .place = where,
                .detail = fmt::format("{} cannot be read: {}", to_string(place.structure),
                                      std::generic_category().message(result.error().code))});
  return false;
}

}  // namespace cowvet
