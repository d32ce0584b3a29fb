// The names of the files that a repair leaves beside an image. The checker looks whether they are there, and
// into none but the last.
#pragma once

#include <string>

namespace cowvet {

// Beside the image itself, not beside a symbolic link that leads to it.
std::string journal_path_of(const std::string& image_path);  // IMAGE.cowvet-journal
std::string undo_path_of(const std::string& image_path);     // IMAGE.cowvet-undo
std::string kept_path_of(const std::string& image_path);     // IMAGE.cowvet-kept

// Whether a repair of this image was interrupted: until it is finished or taken back, the image may be in
// between. A journal that the user had put elsewhere is not seen.
bool has_unfinished_journal(const std::string& image_path);

}  // namespace cowvet
