#include "checker/analysis/cluster_view.h"

namespace cowvet {
namespace {

constexpr ClusterView kInvalid{.kind = ExtentKind::invalid};

// "The offset may only be 0 with bit 63 set (indicating a host cluster offset of 0) when an external data
// file is used."
bool has_host_cluster(const Context& context, L2Entry entry) {
  return entry.host_offset() != 0 || (entry.copied() && context.header.has_data_file());
}

bool may_be_followed(const Context& context, std::uint64_t host_offset, std::uint64_t guest_offset) {
  if (!context.aligned(host_offset)) return false;
  // "The offset field in the Standard Cluster Descriptor must match the guest offset."
  if (context.header.has_data_file()) return host_offset == guest_offset;
  return host_offset != 0 && context.clusters_in_file(host_offset, context.geometry.cluster_bytes);
}

ClusterView view_compressed(const Context& context, L2Entry entry) {
  const CompressedDescriptor at = decode_compressed(entry, context.geometry.cluster_bits);
  if (context.header.has_data_file() || at.offset >= context.geometry.file_bytes) return kInvalid;
  return {.kind = ExtentKind::compressed};
}

ClusterView view_standard(const Context& context, L2Entry entry, std::uint64_t guest_offset) {
  const bool zero = entry.zero();
  const bool has_host = has_host_cluster(context, entry);
  // "With version 2 [...], this is always 0."
  if (zero && context.header.version == 2) return kInvalid;
  // A zero cluster needs no host cluster, and bit 63 alone gives it one only where 0 is its place.
  const bool placed = entry.host_offset() != 0 || (has_host && guest_offset == 0);
  if (zero && !placed) return {.kind = ExtentKind::zero};
  if (!has_host && !entry.copied()) return {.kind = ExtentKind::unallocated};
  if (!has_host || !may_be_followed(context, entry.host_offset(), guest_offset)) return kInvalid;
  return {.kind = zero ? ExtentKind::zero_allocated : ExtentKind::data, .host_offset = entry.host_offset()};
}

ClusterView view_extended(const Context& context, L2Entry entry, SubclusterBitmap bitmap,
                          std::uint64_t guest_offset) {
  ClusterView view{.mixed = true, .bitmap = bitmap};
  if (has_host_cluster(context, entry)) {
    if (!may_be_followed(context, entry.host_offset(), guest_offset)) return kInvalid;
    view.host_offset = entry.host_offset();
  } else if (entry.copied()) {
    return kInvalid;
  }
  static constexpr std::uint64_t kAllAllocated = 0xffffffff;
  if (bitmap.raw == 0 || bitmap.raw == kAllAllocated || bitmap.raw == kAllAllocated << 32) {
    view.kind = view.kind_of(0);
    view.mixed = false;
  }
  return view;
}

}  // namespace

std::string_view to_string(ExtentKind kind) {
  switch (kind) {
    case ExtentKind::unallocated:
      return "unallocated";
    case ExtentKind::zero:
      return "zero";
    case ExtentKind::zero_allocated:
      return "zero-allocated";
    case ExtentKind::data:
      return "data";
    case ExtentKind::compressed:
      return "compressed";
    case ExtentKind::invalid:
      return "invalid";
    case ExtentKind::unreadable:
      return "unreadable";
  }
  return "";
}

ExtentKind ClusterView::kind_of(unsigned subcluster) const {
  const std::uint32_t bit = 1u << subcluster;
  const bool zero = bitmap.zero() & bit;
  if (bitmap.allocated() & bit) return zero || !host_offset ? ExtentKind::invalid : ExtentKind::data;
  if (zero) return host_offset ? ExtentKind::zero_allocated : ExtentKind::zero;
  return ExtentKind::unallocated;
}

ClusterView view_cluster(const Context& context, L2Entry entry, SubclusterBitmap bitmap,
                         std::uint64_t guest_offset) {
  if (entry.compressed()) return view_compressed(context, entry);
  if (context.header.has_extended_l2()) return view_extended(context, entry, bitmap, guest_offset);
  return view_standard(context, entry, guest_offset);
}

}  // namespace cowvet
