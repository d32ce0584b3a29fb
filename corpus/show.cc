#include "corpus/show.h"

#include <fmt/format.h>

#include <iterator>

namespace cowvet::corpus {
namespace {

std::string size_text(std::uint64_t bytes) {
  constexpr std::string_view kUnits = "KMGT";
  std::size_t unit = 0;
  for (; unit < kUnits.size() && bytes != 0 && bytes % 1024 == 0; ++unit) bytes /= 1024;
  return unit == 0 ? std::to_string(bytes) : std::to_string(bytes) + kUnits[unit - 1];
}

// Whether `b` goes on where `a` ends.
bool continues(const HostClusterUse& a, const HostClusterUse& b, std::uint64_t cluster_bytes) {
  if (a.use != b.use || a.references != b.references || a.guest.has_value() != b.guest.has_value())
    return false;
  return !a.guest || *a.guest + cluster_bytes == *b.guest;
}

}  // namespace

std::string describe_layout(const BuiltImage& built) {
  std::string out = "# offset        clusters  refcount  use\n";
  const auto to = std::back_inserter(out);
  const auto& clusters = built.layout.clusters.clusters();
  const Shape& shape = built.layout.shape;
  for (std::size_t begin = 0; begin < clusters.size();) {
    std::size_t end = begin + 1;
    while (end < clusters.size() && continues(clusters[end - 1], clusters[end], shape.cluster_bytes)) ++end;
    const HostClusterUse& use = clusters[begin];
    fmt::format_to(to, "# 0x{:<12x}{:>9} {:>9}  {}{}\n", begin << shape.cluster_bits, end - begin,
                   use.references, use.use, use.guest ? " of guest " + size_text(*use.guest) : "");
    begin = end;
  }
  fmt::format_to(to, "# file of {} bytes", built.image.size());
  if (built.data_file) fmt::format_to(to, ", data file of {} bytes", built.data_file->size());
  return out + '\n';
}

}  // namespace cowvet::corpus
