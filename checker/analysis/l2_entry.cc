#include "checker/analysis/l2_entry.h"

#include <algorithm>

namespace cowvet {

EntryJudge::EntryJudge(const Context& context)
    : geometry_(context.geometry),
      version_(context.header.version),
      extended_(context.header.has_extended_l2()),
      data_file_(context.header.has_data_file()),
      unaligned_((context.geometry.cluster_bytes - 1) & kOffsetMask),
      not_plain_(kCompressed | L2Entry::kReserved | unaligned_ | (zero_bit_allowed() ? 0 : L2Entry::kZero)) {}

Held EntryJudge::judge(const L2Table& table, std::uint64_t index, std::uint64_t raw,
                       SubclusterBitmap subclusters, EntryFindings& findings) const {
  const L2Entry entry{raw};
  if (entry.compressed()) return judge_compressed(table, index, entry, subclusters, findings);

  // "1 - 8: Reserved (set to 0)", "56 - 61: Reserved"; bit 0: "With version 2 or with extended L2 entries,
  // this is always 0."
  const bool stray_zero_bit = entry.zero() && !zero_bit_allowed();
  if (entry.reserved() != 0 || (stray_zero_bit && version_ < 3))
    findings.add(rule("l2/reserved-bits"), table, index, raw);
  if (stray_zero_bit && version_ >= 3) findings.add(rule("l2/zero-bit-extended"), table, index, raw);
  if (extended_) judge_subclusters(table, index, entry, subclusters, findings);

  const std::uint64_t offset = entry.host_offset();
  if (data_file_) {
    judge_data_file_entry(table, index, entry, findings);
    return {};
  }
  if (offset == 0) {
    // "The offset may only be 0 with bit 63 set [...] when an external data file is used."
    if (entry.copied()) findings.add(rule("l2/offset-zero"), table, index, raw);
    return {};
  }
  const std::uint64_t cluster = offset >> geometry_.cluster_bits;
  if ((offset & unaligned_) != 0) findings.add(rule("l2/unaligned"), table, index, raw);
  if (cluster >= geometry_.file_clusters) findings.add(rule("l2/outside"), table, index, raw);
  // An unaligned offset most likely names the cluster that it points into.
  return {Held::Kind::standard, cluster, 1};
}

Held EntryJudge::judge_compressed(const L2Table& table, std::uint64_t index, L2Entry entry,
                                  SubclusterBitmap subclusters, EntryFindings& findings) const {
  if (subclusters.raw != 0)
    findings.add(rule("l2/subcluster-on-compressed"), table, index, subclusters.raw, 0);
  if (data_file_) {
    findings.add(rule("data-file/compressed"), table, index, entry.raw);
    return held(entry.raw);
  }
  if (entry.copied()) findings.add(rule("l2/compressed-copied"), table, index, entry.raw);
  if (compressed_reserved(entry, geometry_.cluster_bits) != 0)
    findings.add(rule("l2/reserved-bits"), table, index, entry.raw);
  // The last sector may be cut by the end of the file, but it must begin before it.
  const CompressedDescriptor at = decode_compressed(entry, geometry_.cluster_bits);
  if (at.end() - 512 >= geometry_.file_bytes)
    findings.add(rule("l2/compressed-outside"), table, index, entry.raw);
  return held(entry.raw);
}

// "1: the subcluster is allocated. In this case the host cluster offset field must contain a valid offset."
// "1: the subcluster reads as zeros. In this case the allocation status bit must be unset."
void EntryJudge::judge_subclusters(const L2Table& table, std::uint64_t index, L2Entry entry,
                                   SubclusterBitmap subclusters, EntryFindings& findings) const {
  if (subclusters.conflict() != 0)
    findings.add(rule("l2/subcluster-conflict"), table, index, subclusters.raw);
  // Host offset 0 is the right one for the first cluster of an external data file.
  const bool first_of_data_file = data_file_ && table.l1_index == 0 && index == 0;
  if (subclusters.allocated() != 0 && entry.host_offset() == 0 && !first_of_data_file)
    findings.add(rule("l2/subcluster-without-cluster"), table, index, subclusters.raw);
}

// "The offset field in the Standard Cluster Descriptor must match the guest offset"; "this bit [63] should be
// 1 for all allocated clusters".
void EntryJudge::judge_data_file_entry(const L2Table& table, std::uint64_t index, L2Entry entry,
                                       EntryFindings& findings) const {
  if (entry.host_offset() == 0 && !entry.copied()) return;  // unallocated, or a plain zero cluster
  const std::uint64_t guest = (table.l1_index * geometry_.l2_entries + index) * geometry_.cluster_bytes;
  if (entry.host_offset() != guest)
    findings.add(rule("data-file/offset-mismatch"), table, index, entry.raw, guest);
  if (!entry.copied()) findings.add(rule("data-file/not-copied"), table, index, entry.raw);
}

Held EntryJudge::held(std::uint64_t raw) const {
  const L2Entry entry{raw};
  if (entry.compressed()) {
    const CompressedDescriptor at = decode_compressed(entry, geometry_.cluster_bits);
    const std::uint64_t first = at.offset >> geometry_.cluster_bits;
    return {Held::Kind::compressed, first, ((at.end() - 1) >> geometry_.cluster_bits) - first + 1};
  }
  if (data_file_ || entry.host_offset() == 0) return {};
  return {Held::Kind::standard, entry.host_offset() >> geometry_.cluster_bits, 1};
}

bool EntryJudge::is_plausible(std::uint64_t raw, SubclusterBitmap subclusters) const {
  const L2Entry entry{raw};
  if (entry.compressed()) {
    const CompressedDescriptor at = decode_compressed(entry, geometry_.cluster_bits);
    return !data_file_ && !entry.copied() && subclusters.raw == 0 && at.end() - 512 < geometry_.file_bytes;
  }
  if (subclusters.conflict() != 0 || (entry.zero() && !zero_bit_allowed())) return false;
  if (entry.reserved() != 0 || (entry.host_offset() & unaligned_) != 0) return false;
  if (data_file_) return true;
  if (entry.host_offset() == 0) return !entry.copied() && subclusters.allocated() == 0;
  return entry.host_offset() >> geometry_.cluster_bits < geometry_.file_clusters;
}

}  // namespace cowvet
