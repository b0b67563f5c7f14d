#include "base/failure_text.hpp"

#include <new>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/phase.hpp"

namespace adapt {

std::string failure_text(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) == nullptr) {
    return error.what();
  }
  return concat("out of memory on rank ", log_rank(), " in ", phase::describe(phase::place()),
                ": the system gives no more");
}

}  // namespace adapt
