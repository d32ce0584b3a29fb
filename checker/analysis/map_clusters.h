// What each cluster of the image file is for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "checker/analysis/context.h"

namespace cowvet {

enum class ClusterState : std::uint8_t {
  used,       // by `structure`
  contested,  // by several that exclude each other; `structure` is the one that owns it by its place
  leaked,     // by nobody, although its refcount is not 0
  free,
};

// Neighbouring clusters that are alike. The last one of the file may be cut by its end.
struct ClusterExtent {
  std::uint64_t offset = 0;  // bytes in the image file
  std::uint64_t length = 0;
  ClusterState state = ClusterState::free;
  Structure structure = Structure::none;  // used and contested only
  std::string_view owner;                 // as Place::owner; lives as long as the context

  bool operator==(const ClusterExtent&) const = default;
};

std::string_view to_string(ClusterState state);  // "used", "contested", "leaked", "free"

// "L2 table", "data", "leaked", "free", ...; "contested data".
std::string describe_use(const ClusterExtent& extent);

// False stops the map.
using ClusterSink = std::function<bool(const ClusterExtent&)>;

// Hands out the whole file in order. Needs the passes to have run on `context`, and goes over the L2 tables
// again, within options.max_memory_bytes. False: the sink stopped it.
bool map_clusters(Context& context, const ClusterSink& sink);

}  // namespace cowvet
