package dev.xip;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Exports;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The jar is a module, whose interface is closed: it names no type that is not exported. */
class ModuleIT {
  private final Path jar = Path.of(System.getProperty("xip.launcher")).resolveSibling("xip.jar");

  private final ModuleDescriptor module =
      ModuleFinder.of(jar).find("dev.xip").orElseThrow().descriptor();

  private final Set<String> exported =
      module.exports().stream().map(Exports::source).collect(Collectors.toSet());

  @Test
  void itExportsTheInterfaceAndNothingElse() {
    assertThat(module.exports()).noneMatch(Exports::isQualified);
    assertThat(exported).containsExactlyInAnyOrder("dev.xip", "dev.xip.base", "dev.xip.image");
    assertThat(module.opens()).isEmpty();
  }

  @Test
  void itRequiresWhatTheLibraryNeedsAndTheRestStatically() {
    assertThat(required(false))
        .containsExactlyInAnyOrder("java.base", "org.apache.commons.compress");
    assertThat(required(true))
        .containsExactlyInAnyOrder(
            "info.picocli", "java.desktop", "java.management", "me.tongfei.progressbar", "xchart");
  }

  private List<String> required(boolean statically) {
    return module.requires().stream()
        .filter(each -> each.modifiers().contains(Requires.Modifier.STATIC) == statically)
        .map(Requires::name)
        .toList();
  }

  @Test
  void itProvidesWhatTheClassPathFindsInServices() throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      for (ModuleDescriptor.Provides each : module.provides()) {
        byte[] named =
            file.getInputStream(file.getEntry("META-INF/services/" + each.service()))
                .readAllBytes();
        assertThat(new String(named).lines()).isEqualTo(each.providers());
      }
      assertThat(file.stream())
          .filteredOn(each -> each.getName().matches("META-INF/services/.+"))
          .hasSameSizeAs(module.provides());
    }
  }

  @Test
  void itHasTheVersionOfTheArtifact() throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      assertThat(module.rawVersion())
          .hasValue(file.getManifest().getMainAttributes().getValue("Implementation-Version"));
      assertThat(file.getManifest().getMainAttributes().getValue("Class-Path")).isNull();
    }
  }

  @Test
  void publicSignaturesOfExportedPackagesNameOnlyExportedTypes() throws Exception {
    Set<String> hidden = new TreeSet<>();
    List<Class<?>> types = exportedTypes();
    assertThat(types).contains(Xip.class, XipFile.class).hasSizeGreaterThan(30);
    for (Class<?> each : types) {
      add(each, each.getGenericSuperclass(), hidden);
      Stream.of(each.getGenericInterfaces()).forEach(type -> add(each, type, hidden));
      for (Field field : each.getDeclaredFields()) {
        if (isVisible(field)) {
          add(field, field.getGenericType(), hidden);
        }
      }
      List<Executable> members = new ArrayList<>(List.of(each.getDeclaredMethods()));
      members.addAll(List.of(each.getDeclaredConstructors()));
      for (Executable member : members) {
        if (isVisible(member) && !member.isSynthetic()) {
          signature(member).forEach(type -> add(member, type, hidden));
        }
      }
    }
    assertThat(hidden).isEmpty();
  }

  private List<Class<?>> exportedTypes() throws Exception {
    List<Class<?>> types = new ArrayList<>();
    try (JarFile file = new JarFile(jar.toFile())) {
      List<String> names = file.stream().map(Object::toString).toList();
      for (String name : names) {
        String type = name.replaceFirst("\\.class$", "").replace('/', '.');
        if (name.endsWith(".class") && exported.contains(packageOf(type))) {
          Class<?> loaded = Class.forName(type, false, getClass().getClassLoader());
          if (isVisible(loaded)) {
            types.add(loaded);
          }
        }
      }
    }
    return types;
  }

  private static String packageOf(String type) {
    return type.substring(0, Math.max(0, type.lastIndexOf('.')));
  }

  private static boolean isVisible(Member member) {
    return (member.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0;
  }

  private static boolean isVisible(Class<?> type) {
    Class<?> outer = type.getEnclosingClass();
    return (type.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0
        && (outer == null || isVisible(outer));
  }

  private static Stream<Type> signature(Executable member) {
    Stream<Type> result =
        switch (member) {
          case Method method -> Stream.of(method.getGenericReturnType());
          case Constructor<?> ignored -> Stream.empty();
        };
    Stream<Type> bounds =
        Stream.of(member.getTypeParameters()).map(TypeVariable::getBounds).flatMap(Stream::of);
    return Stream.of(
            result,
            bounds,
            Stream.of(member.getGenericParameterTypes()),
            Stream.of(member.getGenericExceptionTypes()))
        .flatMap(each -> each);
  }

  /** Adds each type of xip that a type names and that a user of the module cannot see. */
  private void add(Object place, Type type, Set<String> hidden) {
    switch (type) {
      case null -> {}
      case Class<?> named when named.isArray() -> add(place, named.componentType(), hidden);
      case Class<?> named -> {
        boolean own = named.getName().startsWith("dev.xip.");
        if (own && !(exported.contains(named.getPackageName()) && isVisible(named))) {
          hidden.add(named.getName() + " in " + place);
        }
      }
      case ParameterizedType generic -> {
        add(place, generic.getRawType(), hidden);
        Stream.of(generic.getActualTypeArguments()).forEach(each -> add(place, each, hidden));
      }
      case GenericArrayType array -> add(place, array.getGenericComponentType(), hidden);
      case WildcardType wildcard -> {
        Stream.of(wildcard.getUpperBounds()).forEach(each -> add(place, each, hidden));
        Stream.of(wildcard.getLowerBounds()).forEach(each -> add(place, each, hidden));
      }
      default -> {}
    }
  }
}
