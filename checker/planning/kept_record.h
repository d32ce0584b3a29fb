// The record of the leaked clusters that a repair kept (kept_clusters.h), as a file beside the image,
// IMAGE.cowvet-kept: text, a line each.
//
//   cowvet-kept 1
//   327680 131072 5f0c1a7be2d09388        (offset and length in bytes, hash in hexadecimal digits)
//   end 9a1c3e5577d0b246                  (XXH3 of all lines before)
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "checker/analysis/kept_clusters.h"

namespace cowvet {

std::string encode_kept_record(const std::vector<KeptRun>& runs);

// The error says what is wrong with it.
std::expected<std::vector<KeptRun>, std::string> decode_kept_record(std::string_view text);

// Of a file that is not there: nothing. The error is a sentence that names the file.
std::expected<std::vector<KeptRun>, std::string> read_kept_record(const std::string& path);

// What all records of an image say: the one beside it, and, unless `journal_path` is empty, the one beside
// that journal. An image without any: nothing. The error is a sentence that names the record that cannot be
// used.
std::expected<std::vector<KeptRun>, std::string> load_kept(const std::string& image_path,
                                                           const std::string& journal_path);

// Both, each run once, in the order of the image.
std::vector<KeptRun> join_kept(std::vector<KeptRun> one, const std::vector<KeptRun>& other);

}  // namespace cowvet
