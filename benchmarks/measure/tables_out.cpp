#include "measure/tables_out.hpp"

#include <iostream>
#include <stdexcept>

namespace pgsluice::bench {

TablesOut::TablesOut(const std::string& path) {
  if (path.empty()) return;
  file_.open(path);
  if (!file_.is_open()) throw std::runtime_error("cannot write " + path);
}

void TablesOut::write(const std::string& section) {
  std::cout << section << std::endl;
  if (file_.is_open()) file_ << section << std::endl;
}

}  // namespace pgsluice::bench
