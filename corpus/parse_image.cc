// The statements that describe the image before anything is written to it.
#include <limits>

#include "checker/format/extensions.h"
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

std::optional<std::uint32_t> number_32(Arguments& words, std::string_view key) {
  const auto value = words.number(key);
  if (value && *value > std::numeric_limits<std::uint32_t>::max())
    words.fail(std::string(key), "takes 32 bits");
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

void parse_image(Recipe& recipe, Arguments& words) {
  ImageOptions& image = recipe.image;
  if (const auto version = words.number("version")) {
    if (*version != 2 && *version != 3) words.fail("version", "a base image has version 2 or 3");
    image.version = static_cast<std::uint32_t>(*version);
  }
  image.cluster_bits = words.power_of_two("cluster", 9, 21).value_or(image.cluster_bits);
  image.refcount_order = words.power_of_two("refcount-bits", 0, 6).value_or(image.refcount_order);
  image.size_bytes = words.number("size").value_or(image.size_bytes);
  image.header_length = number_32(words, "header-length");
  image.refcount_table_clusters = number_32(words, "refcount-table");
  image.l1_entries = number_32(words, "l1-entries");
  image.compression = words
                          .one_of<CompressionType>("compression", {{"deflate", CompressionType::deflate},
                                                                   {"zstd", CompressionType::zstd}})
                          .value_or(CompressionType::deflate);
  image.crypt =
      words
          .one_of<CryptMethod>(
              "crypt", {{"none", CryptMethod::none}, {"aes", CryptMethod::aes}, {"luks", CryptMethod::luks}})
          .value_or(CryptMethod::none);
  image.ends_as_written =
      words.one_of<bool>("file-end", {{"written", true}, {"rounded", false}}).value_or(false);
  image.extended_l2 = words.flag("extended-l2");
  image.lazy_refcounts = words.flag("lazy-refcounts");
  image.dirty = words.flag("dirty");
  image.corrupt = words.flag("corrupt");
  image.feature_names = words.flag("feature-names");
  image.saturate_refcounts = words.flag("saturate-refcounts");
  image.end_marker = !words.flag("no-end-marker");
  if (image.version == 2 &&
      (image.extended_l2 || image.lazy_refcounts || image.dirty || image.corrupt ||
       image.refcount_order != 4 || image.compression != CompressionType::deflate || image.header_length))
    words.fail("version=2", "has no feature bits, no refcount-bits and no header-length");
  if (image.extended_l2 && image.cluster_bits < 14)
    words.fail("extended-l2", "needs clusters of 16K or more");
  if (image.header_length && (*image.header_length < kHeaderV3Bytes || *image.header_length % 8 != 0))
    words.fail("header-length", "of a base image is at least 104 and a multiple of 8");
}

void parse_backing(Recipe& recipe, Arguments& words) {
  if (recipe.backing) words.fail(words.verb(), "given twice");
  Backing backing{.name = words.next("the name of the backing file"),
                  .format = words.text("format"),
                  .size_bytes = words.number("size"),
                  .pattern = {}};
  backing.pattern = words.pattern("with", {});
  recipe.backing = backing;
}

void parse_data_file(Recipe& recipe, Arguments& words) {
  if (recipe.data_file) words.fail(words.verb(), "given twice");
  DataFile data_file;
  data_file.name = words.text("name").value_or("");
  data_file.size_bytes = words.number("size");
  data_file.raw = words.flag("raw");
  data_file.named = !words.flag("unnamed");
  data_file.found = words
                        .one_of<DataFile::Found>("found", {{"yes", DataFile::Found::yes},
                                                           {"missing", DataFile::Found::missing},
                                                           {"not-followed", DataFile::Found::not_followed},
                                                           {"image", DataFile::Found::image},
                                                           {"backing", DataFile::Found::backing}})
                        .value_or(DataFile::Found::yes);
  if (recipe.image.version == 2) words.fail(words.verb(), "needs version 3");
  recipe.data_file = data_file;
}

void parse_luks(Recipe& recipe, Arguments& words) {
  recipe.luks = LuksArea{.written = !words.flag("unwritten")};
}

void parse_extension(Recipe& recipe, Arguments& words) {
  const std::string name = words.next("the type of the extension");
  const auto type = parse_extension_type(name);
  if (!type) words.fail(name, "a name or number of an extension type is expected");
  recipe.extensions.push_back({type.value_or(0), words.bytes()});
}

constexpr Verb kVerbs[] = {
    {"image", Part::image, parse_image},         {"backing", Part::image, parse_backing},
    {"data-file", Part::image, parse_data_file}, {"luks", Part::image, parse_luks},
    {"extension", Part::image, parse_extension},
};

}  // namespace

std::span<const Verb> image_verbs() {
  return kVerbs;
}

std::optional<std::uint32_t> parse_extension_type(const std::string& name) {
  struct Row {
    std::string_view name;
    ExtensionType type;
  };
  constexpr Row kRows[] = {{"backing-format", ExtensionType::backing_format},
                           {"feature-names", ExtensionType::feature_names},
                           {"bitmaps", ExtensionType::bitmaps},
                           {"luks", ExtensionType::luks},
                           {"data-file-name", ExtensionType::data_file_name},
                           {"end", ExtensionType::end}};
  for (const Row& row : kRows)
    if (row.name == name) return static_cast<std::uint32_t>(row.type);
  const auto number = parse_number(name);
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace cowvet::corpus
