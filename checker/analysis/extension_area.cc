#include "checker/analysis/extension_area.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace cowvet {
namespace {

bool holds_extensions(const Context& context, std::uint64_t begin) {
  const ExtensionWalk walk = walk_extensions(context.first_cluster, begin, extension_area_limit(context));
  return walk.terminated && !walk.extensions.empty();
}

}  // namespace

bool header_length_plausible(const Header& header, std::uint64_t cluster_bytes) {
  if (header.version == 2) return true;
  return header.header_length >= kHeaderV3Bytes && header.header_length % 8 == 0 &&
         header.header_length <= cluster_bytes;
}

std::uint64_t extension_area_begin(const Context& context) {
  if (header_length_plausible(context.header, context.geometry.cluster_bytes))
    return context.header.header_length;
  // The longer one first: where it is right, byte 104 is a compression type and its padding, which also
  // reads as an end marker.
  for (const std::uint64_t begin : {kHeaderKnownBytes, kHeaderV3Bytes})
    if (holds_extensions(context, begin)) return begin;
  return context.geometry.cluster_bytes;
}

std::uint64_t least_header_bytes(const Header& header, std::uint64_t cluster_bytes) {
  return header_length_plausible(header, cluster_bytes) ? header.header_length : kHeaderV3Bytes;
}

std::uint64_t extension_area_limit(const Context& context) {
  return backing_name_usable(context) ? context.header.backing_file_offset : context.geometry.cluster_bytes;
}

bool backing_name_usable(const Context& context) {
  const Header& header = context.header;
  return header.backing_file_offset >= least_header_bytes(header, context.geometry.cluster_bytes) &&
         fits_in(header.backing_file_offset, header.backing_file_size, context.first_cluster.size());
}

ExtensionWalk walk_extension_area(const Context& context) {
  return walk_extensions(context.first_cluster, extension_area_begin(context), extension_area_limit(context));
}

const Extension* find_extension(const ExtensionWalk& walk, ExtensionType type) {
  const auto found = std::ranges::find(walk.extensions, type, &Extension::type);
  return found == walk.extensions.end() ? nullptr : &*found;
}

void record_names(Context& context, const ExtensionWalk& walk) {
  if (const Extension* format = find_extension(walk, ExtensionType::backing_format))
    context.report.backing_format = format->text();
  if (const Extension* name = find_extension(walk, ExtensionType::data_file_name))
    context.report.data_file_name = name->text();
}

std::string feature_name(const ExtensionWalk& walk, unsigned type, unsigned bit) {
  for (const Extension& extension : walk.extensions) {
    if (extension.type != ExtensionType::feature_names) continue;
    RawFeatureName entry;
    for (std::size_t at = 0; at + sizeof entry <= extension.data.size(); at += sizeof entry) {
      std::memcpy(&entry, extension.data.data() + at, sizeof entry);
      if (entry.type != type || entry.bit != bit) continue;
      return {entry.name, std::ranges::find(entry.name, '\0')};
    }
  }
  return {};
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kReadable = 80;
  if (text.size() <= kReadable) return fmt::format("{:?}", text);
  return fmt::format("{:?}... ({} bytes)", text.substr(0, kReadable), text.size());
}

}  // namespace cowvet
