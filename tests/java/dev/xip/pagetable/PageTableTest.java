package dev.xip.pagetable;

import org.junit.jupiter.api.Nested;

/** The tables of each architecture. */
class PageTableTest {
  @Nested
  class X8664 extends PageTableContract {
    X8664() {
      super(X8664Layout.INSTANCE);
    }
  }

  @Nested
  class X8664Of2008 extends PageTableContract {
    X8664Of2008() {
      super(X8664Of2008Layout.INSTANCE);
    }
  }

  @Nested
  class S390x2008 extends PageTableContract {
    S390x2008() {
      super(S390x2008Layout.INSTANCE);
    }
  }

  @Nested
  class S390x extends PageTableContract {
    S390x() {
      super(S390xLayout.INSTANCE);
    }
  }

  @Nested
  class Arm64 extends PageTableContract {
    Arm64() {
      super(Arm64Layout.INSTANCE);
    }
  }
}
