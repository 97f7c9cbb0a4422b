package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Splitting and merging, against a model of single pages. */
class VmaListTest {
  private static final long BASE = 0x10_0000;
  private static final int PAGES = 40;
  private static final long PRIVATE =
      VmaFlags.READ | VmaFlags.MAYREAD | VmaFlags.MAYWRITE | VmaFlags.MAYEXEC;

  private record TestFile(String name) implements Mappable {
    @Override
    public long size() {
      return PAGES * Pages.SIZE;
    }

    @Override
    public PageRun translate(long pageOffset) {
      return PageRun.HOLE;
    }
  }

  private static final AnonMemory UNTOUCHED = new AnonMemory();
  private static final Mappable A = new TestFile("a");
  private static final Mappable B = new TestFile("b");

  private static Vma vma(int first, int pages, long flags, Mappable file, long offset) {
    return new Vma(range(first, pages), flags, file, offset, UNTOUCHED);
  }

  private static AddrRange range(int first, int pages) {
    return AddrRange.ofLength(BASE + first * Pages.SIZE, pages * Pages.SIZE);
  }

  private static VmaList listOf(Vma... vmas) {
    VmaList list = VmaList.empty(Rules.DEFAULT);
    for (Vma vma : vmas) {
      list = list.with(vma);
    }
    return list;
  }

  @Test
  void aMappingThatFillsAGapBetweenItsOwnPagesMakesOneOfThree() {
    VmaList list =
        listOf(vma(0, 2, PRIVATE, A, 0), vma(4, 2, PRIVATE, A, 4), vma(2, 2, PRIVATE, A, 2));
    assertThat(list.toList()).containsExactly(vma(0, 6, PRIVATE, A, 0));
  }

  @Test
  void otherFlagsAnotherFileOrAnotherOffsetStayApart() {
    Vma first = vma(0, 2, PRIVATE, A, 0);
    for (Vma second :
        List.of(
            vma(2, 2, PRIVATE | VmaFlags.WRITE, A, 2),
            vma(2, 2, PRIVATE, B, 2),
            vma(2, 2, PRIVATE, A, 3))) {
      assertThat(listOf(first, second).toList()).containsExactly(first, second);
    }
  }

  @Test
  void pagesOfTwoHistoriesStayApart() {
    AnonMemory one = new AnonMemory();
    AnonMemory other = new AnonMemory();
    Vma first = new Vma(range(0, 2), PRIVATE, A, 0, one);
    Vma second = new Vma(range(2, 2), PRIVATE, A, 2, other);
    one.prepare();
    assertThat(listOf(first, second).toList()).hasSize(1).first().matches(vma -> vma.anon() == one);
    other.prepare();
    assertThat(listOf(first, second).toList()).containsExactly(first, second);
  }

  @Test
  void specialMappingsNeverMerge() {
    for (long special :
        new long[] {VmaFlags.MIXEDMAP, VmaFlags.PFNMAP, VmaFlags.IO, VmaFlags.DONTEXPAND}) {
      Vma first = vma(0, 2, PRIVATE | special, A, 0);
      Vma second = vma(2, 2, PRIVATE | special, A, 2);
      assertThat(listOf(first, second).toList()).containsExactly(first, second);
    }
  }

  @Test
  void changingTheMiddleSplitsInThreeAndChangingItBackMakesOne() {
    VmaList whole = listOf(vma(0, 9, PRIVATE, A, 7));
    VmaList split = whole.withFlags(range(3, 3), PRIVATE | VmaFlags.EXEC);
    assertThat(split.toList())
        .containsExactly(
            vma(0, 3, PRIVATE, A, 7),
            vma(3, 3, PRIVATE | VmaFlags.EXEC, A, 10),
            vma(6, 3, PRIVATE, A, 13));
    assertThat(split.withFlags(range(3, 3), PRIVATE).toList()).isEqualTo(whole.toList());
  }

  @Test
  void anEmptyRangeOverlapsNothing() {
    assertThat(listOf(vma(0, 9, PRIVATE, A, 0)).overlapping(range(3, 0))).isEmpty();
  }

  @Test
  void changingNothingSplitsNothing() {
    VmaList whole = listOf(vma(0, 9, PRIVATE | VmaFlags.MIXEDMAP, A, 0));
    assertThat(whole.withFlags(range(3, 3), PRIVATE | VmaFlags.MIXEDMAP)).isSameAs(whole);
  }

  /** The mapping of each page, and where mappings that do not merge begin. */
  private static final class Model {
    private final Vma[] pages = new Vma[PAGES];
    private final boolean[] border = new boolean[PAGES + 1];

    void put(int first, int count, Vma vma) {
      for (int page = first; page < first + count; page++) {
        pages[page] = vma == null ? null : vma.cut(at(page), at(page + 1));
        border[page] = false;
      }
      border[first] = true;
      border[first + count] = true;
    }

    /** Changes the part of a mapping that lies in a range. */
    void change(int first, int count, long flags) {
      for (int page = first; page < first + count; page++) {
        pages[page] = pages[page].withFlags(flags);
        border[page] = false;
      }
      border[first] = true;
      border[first + count] = true;
    }

    List<Vma> vmas() {
      List<Vma> found = new ArrayList<>();
      for (int page = 0; page < PAGES; page++) {
        Vma vma = pages[page];
        if (vma == null) {
          continue;
        }
        Vma before = page == 0 ? null : pages[page - 1];
        boolean same =
            before != null
                && before.flags() == vma.flags()
                && before.file() == vma.file()
                && before.pageOffset() + 1 == vma.pageOffset();
        if (same && !((vma.flags() & VmaFlags.special(Rules.DEFAULT)) != 0 && border[page])) {
          Vma last = found.removeLast();
          vma =
              new Vma(
                  new AddrRange(last.range().start(), vma.range().end()),
                  last.flags(),
                  last.file(),
                  last.pageOffset(),
                  last.anon());
        }
        found.add(vma);
      }
      return found;
    }

    private static long at(int page) {
      return BASE + page * Pages.SIZE;
    }
  }

  @Test
  void randomHistoriesAgreeWithTheModelPageByPage() {
    long seed = Long.getLong("xip.seed", new Random().nextLong());
    Random random = new Random(seed);
    long[] flags = {
      PRIVATE, PRIVATE | VmaFlags.WRITE, PRIVATE | VmaFlags.MIXEDMAP, PRIVATE | VmaFlags.LOCKED
    };
    for (int history = 0; history < 200; history++) {
      VmaList list = VmaList.empty(Rules.DEFAULT);
      Model model = new Model();
      for (int step = 0; step < 100; step++) {
        int first = random.nextInt(PAGES);
        int count = 1 + random.nextInt(PAGES - first);
        long wanted = flags[random.nextInt(flags.length)];
        int choice = random.nextInt(3);
        if (choice < 2) {
          list = list.without(range(first, count));
          model.put(first, count, null);
        }
        if (choice == 0) {
          Vma added = vma(first, count, wanted, random.nextBoolean() ? A : B, first);
          list = list.with(added);
          model.put(first, count, added);
        } else if (choice == 2) {
          for (Vma vma : list.overlapping(range(first, count))) {
            int from = Math.max(first, page(vma.range().start()));
            int to = Math.min(first + count, page(vma.range().end()));
            list = list.withFlags(range(from, to - from), wanted);
            if (vma.flags() != wanted) {
              model.change(from, to - from, wanted);
            }
          }
        }
        assertThat(list.toList())
            .as("-Dxip.seed=%d, history %d, step %d", seed, history, step)
            .isEqualTo(model.vmas());
      }
    }
  }

  private static int page(long va) {
    return (int) (va - BASE >>> Pages.SHIFT);
  }
}
