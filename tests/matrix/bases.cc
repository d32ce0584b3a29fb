#include "tests/matrix/bases.h"

#include <fmt/format.h>

#include <stdexcept>

#include "corpus/parse_recipe.h"

namespace cowvet::matrix {
namespace {

constexpr Base kBases[] = {
    {"version_3", R"(
image cluster=1K size=300K feature-names
backing parent.raw format=raw size=300K with=0x33
extension 0x12345678 text="kept as it is"
write 0+16K
zero 16K+2K
zero 18K+2K allocated
compress 32K+4K
write 200K+4K with=random
snapshot 1 name=one vm-state=1K
write 1K+2K with=0x22
bitmap b0 granularity=512 set=0+64K
bitmap full full)"},
    {"version_2", R"(
image version=2 cluster=512 size=100K
backing parent.raw size=100K with=0x33
write 0+16K
compress 40K+4K
write 70K+512 with=random
snapshot 1 name=one extra=0
write 1K+2K with=0x22
snapshot 2 name=two extra=16)"},
    {"subclusters", R"(
image cluster=16K extended-l2 size=1M
write 0+64K
write 64K+3K with=0x11
zero 80K+1K
zero 96K+16K
zero 128K+16K allocated
compress 256K+32K
snapshot 1
write 512+1K with=0x22)"},
    {"data_file", R"(
image cluster=1K size=200K
data-file
write 0+16K
write 150K+1K with=random
zero 20K+4K
zero 32K+2K allocated
bitmap b0 granularity=1K set=0+16K)"},
    {"raw_data_file", R"(
image cluster=4K size=128K
data-file raw
write 0+128K
zero 32K+8K allocated)"},
    {"luks", R"(
image cluster=4K size=1M crypt=luks
luks
write 0+64K)"},
    {"zstd", R"(
image cluster=4K size=1M compression=zstd lazy-refcounts
compress 0+64K
write 100K+4K)"},
    {"refcount_bits_1",
     "image cluster=512 size=48K refcount-bits=1\nwrite 0+8K\nzero 16K+4K\nfree\nwrite 40K+1K"},
    {"refcount_bits_2", "image cluster=512 size=48K refcount-bits=2\nwrite 0+8K\nsnapshot 1\nwrite 0+1K"},
    {"refcount_bits_4", "image cluster=512 size=48K refcount-bits=4\nwrite 0+8K\nsnapshot 1\nwrite 0+1K"},
    {"refcount_bits_8", "image cluster=512 size=48K refcount-bits=8\nwrite 0+8K\nsnapshot 1\nwrite 0+1K"},
    {"refcount_bits_32", "image cluster=512 size=48K refcount-bits=32\nwrite 0+8K\nsnapshot 1\nwrite 0+1K"},
    {"refcount_bits_64", "image cluster=512 size=48K refcount-bits=64\nwrite 0+8K\nsnapshot 1\nwrite 0+1K"},
};

}  // namespace

std::span<const Base> bases() {
  return kBases;
}

corpus::Recipe recipe_of(const Base& base) {
  const std::string text = fmt::format(
      "recipe matrix/base\nabout A sound image\nkind sound\n{}\ncheck deep\nexpect none\nexpect-status 0\n",
      base.statements);
  auto recipes = corpus::parse_recipes(text, std::string(base.name));
  if (!recipes) throw std::runtime_error(recipes.error().text());
  return std::move(recipes->front());
}

}  // namespace cowvet::matrix
