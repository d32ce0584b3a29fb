// The header's own fields: lengths, features and methods. What it points at: header_tables.cc.

#include "checker/analysis/header_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/places.h"

namespace cowvet {
namespace {

template <typename Field>
Place field(Field RawHeader::* member) {
  return place_of(Structure::header, 0, member);
}

// One finding for all unknown bits of a feature field, naming those that the image itself names.
void report_unknown_bits(Context& context, RuleId rule, Place place, unsigned type, std::uint64_t bits,
                         const ExtensionWalk& walk) {
  std::string list;
  for (std::uint64_t rest = bits; rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(rest));
    const std::string name = feature_name(walk, type, bit);
    list += fmt::format("{}{}{}{}", list.empty() ? "" : ", ", bit, name.empty() ? "" : " ",
                        name.empty() ? "" : excerpt(name));
  }
  context.findings.add({.rule = rule,
                        .place = std::move(place),
                        .found = bits,
                        .detail = fmt::format("unknown feature bits are set: {}", list)});
}

}  // namespace

// Byte 20: "Must not be less than 9"; 2 MiB is QEMU's limit, and this program's; "if the image has Extended
// L2 Entries then cluster_bits must be at least 14".
bool check_cluster_bits(Context& context) {
  constexpr unsigned kLeast = 9;
  constexpr unsigned kLeastExtendedL2 = 14;
  constexpr unsigned kMost = 21;
  const Header& header = context.header;
  const unsigned least = header.has_extended_l2() ? kLeastExtendedL2 : kLeast;
  if (header.cluster_bits >= least && header.cluster_bits <= kMost) return true;
  std::string why = fmt::format("cluster_bits is {}, not from {} to {}", header.cluster_bits, least, kMost);
  if (header.has_extended_l2() && header.cluster_bits >= kLeast && header.cluster_bits <= kMost)
    why += ", as extended L2 entries demand";
  context.findings.add({.rule = rule("header/cluster-bits"),
                        .place = field(&RawHeader::cluster_bits),
                        .expected = header.cluster_bits < least ? least : kMost,
                        .found = header.cluster_bits,
                        .detail = std::move(why)});
  return false;
}

// Bytes 72, 80, 88: an unknown incompatible bit may have changed any structure: "An implementation must fail
// to open an image if an unknown bit is set". Unknown compatible and autoclear bits leave everything
// readable.
bool check_unknown_features(Context& context) {
  const Header& header = context.header;
  const std::uint64_t incompatible = header.incompatible_features & ~kIncompatibleKnown;
  const std::uint64_t compatible = header.compatible_features & ~kCompatibleKnown;
  const std::uint64_t autoclear = header.autoclear_features & ~kAutoclearKnown;
  if ((incompatible | compatible | autoclear) == 0) return true;
  const ExtensionWalk walk = walk_extension_area(context);
  record_names(context, walk);
  if (incompatible != 0)
    report_unknown_bits(context, rule("header/unknown-incompatible"),
                        field(&RawHeader::incompatible_features), 0, incompatible, walk);
  if (compatible != 0)
    report_unknown_bits(context, rule("header/unknown-compatible"), field(&RawHeader::compatible_features), 1,
                        compatible, walk);
  if (autoclear != 0)
    report_unknown_bits(context, rule("header/unknown-autoclear"), field(&RawHeader::autoclear_features), 2,
                        autoclear, walk);
  return incompatible == 0;
}

// Byte 100: "For version 3 it's at least 104 bytes and must be a multiple of 8." It lies in the first
// cluster.
void check_header_length(Context& context) {
  Header& header = context.header;
  if (header_length_plausible(header, context.geometry.cluster_bytes)) return;
  Finding finding{.rule = rule("header/length"),
                  .place = field(&RawHeader::header_length),
                  .found = header.header_length,
                  .detail = fmt::format("header_length is {}", header.header_length)};
  const std::uint64_t derived = extension_area_begin(context);
  if (derived < context.geometry.cluster_bytes) {
    finding.expected = derived;
    finding.detail += fmt::format("; the extensions show that the header is {} bytes long", derived);
  }
  // A field that the true length covers is present, whatever the false one says.
  if (derived == kHeaderKnownBytes)
    header.compression_type = static_cast<std::uint8_t>(context.first_cluster[kCompressionTypeOffset]);
  context.findings.add(std::move(finding));
}

// Bytes 105 to 111: "This padding must be zeroed". Fields behind them "may be safely ignored".
void check_padding(Context& context) {
  const Header& header = context.header;
  if (header.version == 2 || !header_length_plausible(header, context.geometry.cluster_bytes)) return;
  if (header.header_length < kHeaderKnownBytes || context.first_cluster.size() < kHeaderKnownBytes) return;
  const Place place = field(&RawHeader::padding);
  const auto padding = std::span(context.first_cluster).subspan(place.offset, place.length);
  if (std::ranges::all_of(padding, [](std::byte byte) { return byte == std::byte{0}; })) return;
  context.findings.add({.rule = rule("header/padding"),
                        .place = place,
                        .expected = 0,
                        .detail = "the padding behind the compression type is not zero"});
}

// Byte 72, bits 0 and 1: refcounts may be stale; any structure may be broken.
void check_state_bits(Context& context) {
  const Place place = field(&RawHeader::incompatible_features);
  if (context.header.is_dirty())
    context.findings.add({.rule = rule("header/dirty"),
                          .place = place,
                          .detail = "the image was not closed cleanly: refcounts may be stale"});
  if (context.header.is_corrupt())
    context.findings.add({.rule = rule("header/corrupt"),
                          .place = place,
                          .detail = "the image was marked corrupt by a program that used it"});
}

// Byte 88, bit 1: "may only be set if the External Data File bit [...] is also set" and "conflicts with
// backing files". Byte 72, bit 2: with a data file, internal snapshots are not supported.
void check_feature_contradictions(Context& context) {
  const Header& header = context.header;
  if (header.is_raw_data() && !header.has_data_file())
    context.findings.add({.rule = rule("data-file/raw-without-bit"),
                          .place = field(&RawHeader::autoclear_features),
                          .detail = "the raw external data bit is set, but not the external data file bit"});
  if (header.is_raw_data() && header.backing_file_offset != 0)
    context.findings.add({.rule = rule("data-file/raw-with-backing"),
                          .place = field(&RawHeader::autoclear_features),
                          .other = field(&RawHeader::backing_file_offset),
                          .detail = "the raw external data bit is set, but the image has a backing file"});
  if (header.has_data_file() && header.nb_snapshots != 0)
    context.findings.add({.rule = rule("data-file/snapshots"),
                          .place = field(&RawHeader::nb_snapshots),
                          .expected = 0,
                          .found = header.nb_snapshots,
                          .detail = "an image with an external data file cannot have internal snapshots"});
}

// A version 3 header whose version field says 2: then its feature bits are not seen. The bytes behind a true
// version 2 header are extensions, a backing file name or zeros: as features, those have unknown bits or
// none.
void check_version_2_features(Context& context) {
  if (context.header.version != 2 || context.first_cluster.size() < kHeaderV3Bytes) return;
  std::array<std::byte, kHeaderV3Bytes> bytes;
  std::ranges::copy_n(context.first_cluster.begin(), kHeaderV3Bytes, bytes.begin());
  store_big_endian(bytes.data() + offsetof(RawHeader, version), std::uint32_t{3});
  const auto as_version_3 = decode_header(bytes);
  const Header& header = *as_version_3;
  const std::uint64_t unknown = (header.incompatible_features & ~kIncompatibleKnown) |
                                (header.compatible_features & ~kCompatibleKnown) |
                                (header.autoclear_features & ~kAutoclearKnown);
  const std::uint64_t any =
      header.incompatible_features | header.compatible_features | header.autoclear_features;
  if (unknown != 0 || any == 0 || header.refcount_order > 6) return;
  if (!header_length_plausible(header, context.geometry.cluster_bytes)) return;
  context.findings.add(
      {.rule = rule("header/lazy-without-v3"),
       .place = field(&RawHeader::version),
       .other = field(&RawHeader::incompatible_features),
       .expected = 3,
       .found = 2,
       .detail = "the version is 2, but feature bits of version 3 are set behind the header"});
}

// Byte 104: if the bit is set, "the field must be present and non-zero"; otherwise it "must not be present or
// must be zero". Known types are 0 and 1.
void check_compression_type(Context& context) {
  const Header& header = context.header;
  const bool bit = header.incompatible_features & kIncompatibleCompression;
  const auto report = [&](Severity severity, std::string detail) {
    context.findings.add({.rule = rule("header/compression-type"),
                          .severity = severity,
                          .place = field(&RawHeader::compression_type),
                          .other = field(&RawHeader::incompatible_features),
                          .found = header.compression_type,
                          .detail = std::move(detail)});
  };
  if (bit && header.compression_type == 0)
    report(Severity::corruption, header.header_length > kCompressionTypeOffset
                                     ? "the compression type bit is set, but the type is 0 (deflate)"
                                     : "the compression type bit is set, but the header has no such field");
  if (!bit && header.compression_type != 0)
    report(Severity::corruption, "the compression type is not 0 (deflate), but its feature bit is clear");
  if (bit && header.compression_type > static_cast<std::uint8_t>(CompressionType::zstd))
    report(Severity::unchecked,
           fmt::format("compression type {} is unknown: compressed clusters cannot be decoded",
                       header.compression_type));
}

// Byte 32: "0 for no encryption, 1 for AES encryption, 2 for LUKS encryption"
void check_crypt_method(Context& context) {
  const std::uint32_t method = context.header.crypt_method;
  if (method <= static_cast<std::uint32_t>(CryptMethod::luks)) return;
  context.findings.add(
      {.rule = rule("header/crypt-method"),
       .place = field(&RawHeader::crypt_method),
       .found = method,
       .detail = fmt::format("encryption method {} is unknown: guest data cannot be read", method)});
}

// Byte 96: "This value may not exceed 6". Refcounts of unknown width cannot be compared with anything.
void check_refcount_order(Context& context) {
  const std::uint32_t order = context.header.refcount_order;
  if (order <= 6) return;
  context.findings.add(
      {.rule = rule("header/refcount-order"),
       .place = field(&RawHeader::refcount_order),
       .expected = 6,
       .found = order,
       .detail = fmt::format("refcount_order is {}, above 6: refcounts cannot be read", order)});
}

}  // namespace cowvet
