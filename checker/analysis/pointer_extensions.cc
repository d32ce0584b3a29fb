#include "checker/analysis/pointer_extensions.h"

#include <fmt/format.h>

#include <cstring>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/places.h"
#include "checker/analysis/refcount_lookup.h"

namespace cowvet {
namespace {

constexpr std::uint32_t kMostBitmaps = 65535;  // QEMU limit
constexpr auto kLuks = static_cast<std::uint32_t>(CryptMethod::luks);

Place whole(const Extension& extension) {
  return {.structure = Structure::header_extension,
          .offset = extension.offset,
          .length = sizeof(RawExtensionHead) + extension.data.size()};
}

template <typename Raw, typename Field>
Place field(const Extension& extension, Field Raw::* member) {
  return place_of(Structure::header_extension, extension.offset + sizeof(RawExtensionHead), member);
}

void report(Context& context, RuleId rule, const Place& place, std::uint64_t found, std::string detail) {
  context.findings.add({.rule = rule, .place = place, .found = found, .detail = std::move(detail)});
}

// Copies the extension's data to `raw`, where it is long enough; false: the length is wrong in any way.
template <typename Raw>
bool decode(const Extension& extension, Raw& raw) {
  if (extension.data.size() >= sizeof raw) std::memcpy(&raw, extension.data.data(), sizeof raw);
  return extension.data.size() == sizeof raw;
}

// "nb_bitmaps [...] Must be greater than or equal to 1"; QEMU opens at most 65535. "Reserved, must be zero."
void check_bitmaps_fields(Context& context, const Extension& extension, const RawBitmapsExtension& raw) {
  if (raw.nb_bitmaps == 0 || raw.nb_bitmaps > kMostBitmaps)
    report(context, rule("ext/bitmaps-count"), field(extension, &RawBitmapsExtension::nb_bitmaps),
           raw.nb_bitmaps,
           fmt::format("the image counts {} bitmaps, not from 1 to {}", std::uint32_t{raw.nb_bitmaps},
                       kMostBitmaps));
  if (raw.reserved != 0)
    report(context, rule("ext/bitmaps-reserved"), field(extension, &RawBitmapsExtension::reserved),
           raw.reserved, "the reserved field of the bitmaps extension is not zero");
}

// "bitmap_directory_offset [...] Must be aligned to a cluster boundary."
void check_bitmap_directory(Context& context, const Extension& extension, std::uint64_t offset,
                            std::uint64_t bytes) {
  const Place place = field(extension, &RawBitmapsExtension::bitmap_directory_offset);
  if (!context.aligned(offset))
    report(context, rule("ext/bitmaps-directory-unaligned"), place, offset,
           fmt::format("the bitmap directory at offset {:#x} does not begin at a cluster", offset));
  if (offset == 0 || !context.clusters_in_file(offset, bytes))
    report(
        context, rule("ext/bitmaps-directory-outside"), place, offset,
        fmt::format("the bitmap directory at offset {:#x}, {} bytes, is not inside the file", offset, bytes));
}

}  // namespace

// "The data of the extension should be considered consistent only if the corresponding auto-clear feature bit
// is set". A program that does not know bitmaps clears the bit and keeps the extension; it may have given the
// clusters to something else since. So what a stale extension points at is neither judged nor owned: QEMU,
// too, calls its clusters leaked, and forgets the bitmaps when it next writes.
void check_bitmaps_extension(Context& context, const Extension& extension) {
  RawBitmapsExtension raw{};
  context.bitmaps_stale = !context.header.has_bitmaps_bit();
  if (context.bitmaps_stale)
    report(context, rule("ext/bitmaps-stale"), whole(extension), context.header.autoclear_features,
           "a program that does not know bitmaps wrote to the image: its bitmaps are out of date");
  if (!decode(extension, raw)) {
    report(context, rule("ext/bitmaps-length"), whole(extension), extension.data.size(),
           fmt::format("the bitmaps extension has {} bytes, not {}", extension.data.size(), sizeof raw));
    if (!context.bitmaps_stale) context.unknown_references.emplace_back("the bitmap directory");
    return;
  }
  check_bitmaps_fields(context, extension, raw);
  const std::uint64_t offset = raw.bitmap_directory_offset;
  const std::uint64_t bytes = raw.bitmap_directory_size;
  if (!context.bitmaps_stale) check_bitmap_directory(context, extension, offset, bytes);
  if (offset != 0 && context.aligned(offset) && context.clusters_in_file(offset, bytes)) {
    context.bitmap_directory.emplace(offset, bytes);
    context.bitmap_count = raw.nb_bitmaps;
  } else if (!context.bitmaps_stale) {
    context.unknown_references.emplace_back("the bitmap directory");
  }
}

// "It is an error if this bit is set without the bitmaps extension present."
void check_bitmaps_present(Context& context) {
  if (!context.header.has_bitmaps_bit()) return;
  if (find_extension(context.extensions, ExtensionType::bitmaps)) return;
  const Place place = place_of(Structure::header, 0, &RawHeader::autoclear_features);
  context.findings.add({.rule = rule("ext/bitmaps-missing"),
                        .place = place,
                        .detail = "the bitmaps bit is set, but the image has no bitmaps extension"});
}

// "The header extension must be absent for other methods." "Offset [...] Must be aligned to a cluster
// boundary." The area is allocated as a whole, but written only as far as key slots are in use: clusters of
// it that lie past the end of the file are there if they have refcounts.
void check_luks_extension(Context& context, const Extension& extension) {
  RawLuksPointer raw{};
  if (const std::uint32_t method = context.header.crypt_method; method != kLuks) {
    if (method < kLuks)  // of unknown methods nothing can be said
      report(context, rule("ext/luks-unexpected"), whole(extension), method,
             "the image points at a LUKS header, but its encryption method is not LUKS");
    context.unknown_references.emplace_back("a LUKS header that should not be there");
    return;
  }
  if (!decode(extension, raw)) {
    report(
        context, rule("ext/luks-length"), whole(extension), extension.data.size(),
        fmt::format("the encryption header pointer has {} bytes, not {}", extension.data.size(), sizeof raw));
    context.unknown_references.emplace_back("the LUKS header");
    return;
  }
  const std::uint64_t offset = raw.offset;
  const std::uint64_t bytes = raw.length;
  const Place place = field(extension, &RawLuksPointer::offset);
  const bool aligned = context.aligned(offset);
  if (!aligned)
    report(context, rule("ext/luks-unaligned"), place, offset,
           fmt::format("the LUKS header at offset {:#x} does not begin at a cluster", offset));
  const bool inside =
      offset != 0 && (context.clusters_in_file(offset, bytes) || allocated_past_end(context, offset, bytes));
  if (!inside)
    report(context, rule("ext/luks-outside"), place, offset,
           fmt::format("the LUKS header at offset {:#x}, {} bytes, is not inside the file", offset, bytes));
  if (aligned && inside)
    context.luks_area.emplace(offset, bytes);
  else
    context.unknown_references.emplace_back("the LUKS header");
}

// "The full disk encryption header must be present if, and only if, the crypt_method header requires
// metadata."
void check_luks_present(Context& context) {
  if (context.header.crypt_method != kLuks) return;
  if (find_extension(context.extensions, ExtensionType::luks)) return;
  const Place place = place_of(Structure::header, 0, &RawHeader::crypt_method);
  context.findings.add({.rule = rule("ext/luks-missing"),
                        .place = place,
                        .detail =
                            "guest data is encrypted with LUKS, but the image does not say where the LUKS "
                            "header is"});
  context.unknown_references.emplace_back("the LUKS header");
}

}  // namespace cowvet
