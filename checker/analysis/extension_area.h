// Where header extensions lie, and what they are called. Shared by the passes over header and extensions.
#pragma once

#include <cstdint>
#include <string>

#include "checker/analysis/context.h"

namespace cowvet {

// Where the extension area begins: behind the header. Where header_length cannot be true, the two lengths
// that headers have in practice are tried, and the one behind which well-formed extensions lie is taken;
// where neither fits, the area is taken to be empty and begins at the end of the first cluster.
std::uint64_t extension_area_begin(const Context& context);

// Whether header_length is one that a header of this version and cluster size can have.
bool header_length_plausible(const Header& header, std::uint64_t cluster_bytes);

// Length of the header in bytes; where header_length cannot be true, the least that the version has.
std::uint64_t least_header_bytes(const Header& header, std::uint64_t cluster_bytes);

// Whether the header names a backing file and the name lies behind the header and inside the first cluster.
bool backing_name_usable(const Context& context);

// Where it ends: where the backing file name begins, or with the first cluster.
std::uint64_t extension_area_limit(const Context& context);

ExtensionWalk walk_extension_area(const Context& context);

// The first extension of a type, or nothing.
const Extension* find_extension(const ExtensionWalk& walk, ExtensionType type);

// Puts the names that extensions give into the report, as they are.
void record_names(Context& context, const ExtensionWalk& walk);

// The name that the image itself gives a feature bit (type 0 incompatible, 1 compatible, 2 autoclear); empty
// where it gives none.
std::string feature_name(const ExtensionWalk& walk, unsigned type, unsigned bit);

// Text from an image, fit for one line of a message: quoted, escaped and cut to a readable length.
std::string excerpt(std::string_view text);

}  // namespace cowvet
