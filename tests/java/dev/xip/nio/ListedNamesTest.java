package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.testing.Allocations;
import org.junit.jupiter.api.Test;

class ListedNamesTest {
  private static FileName name(int number) {
    return FileName.of("n".repeat(number % 256) + number);
  }

  @Test
  void whatWasAddedIsTakenOutInOrder() {
    ListedNames names = new ListedNames();
    for (int i = 0; i < 5000; i++) {
      names.add(name(i), Long.MIN_VALUE + i);
    }
    FileName longest = FileName.of("x".repeat(0xffff));
    names.add(longest, -1);
    names.add(FileName.of(""), 0);
    for (int i = 0; i < 5000; i++) {
      assertThat(names.next()).isTrue();
      assertThat(names.name()).isEqualTo(name(i));
      assertThat(names.inode()).isEqualTo(Long.MIN_VALUE + i);
    }
    assertThat(names.next()).isTrue();
    assertThat(names.name()).isEqualTo(longest);
    assertThat(names.next()).isTrue();
    assertThat(names.name().length()).isZero();
    assertThat(names.next()).isFalse();
    assertThat(names.next()).isFalse();
  }

  @Test
  void aMillionNamesTakeLittleMoreThanTheirBytes() {
    FileName name = FileName.of("name-of-a-file-000000");
    long bytes =
        Allocations.of(
            () -> {
              ListedNames names = new ListedNames();
              for (int i = 0; i < 1_000_000; i++) {
                names.add(name, i);
              }
            });
    assertThat(bytes).isLessThan(1_000_000L * (name.length() + 12));
  }
}
