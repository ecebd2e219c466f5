/**
 * Invented people with names as an address book has them: most Latin, some Cyrillic, some Chinese. The same number is
 * always the same person, so a measurement can be repeated.
 */

export interface Person {
  username: string
  display_name: string
  email: string
  handle: string | null
}

const words = (text: string): string[] => text.split(' ')

const GIVEN = words(
  'Anna Ben Carla David Elena Felix Greta Hugo Ines Jan Katja Lukas Maria Nils Olga Paul Quentin Rosa Simon Tessa Uwe ' +
    'Vera Walter Xenia Yannick Zoe James Mary Robert Patricia Jennifer Michael Linda William Elizabeth Richard Susan ' +
    'Joseph Jessica Thomas Sarah Charles Karen Christopher Nancy Daniel Lisa Matthew Betty Anthony Sandra Sofia Mateo ' +
    'Lucía Diego Valentina Jérôme Chloé Noël Amélie Björn Åsa Søren Jürgen Zoë Łukasz Małgorzata',
)
const FAMILY = words(
  'Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson ' +
    'Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker ' +
    'Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell ' +
    'Carter Roberts Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter ' +
    'Wolf Neumann Schwarz Zimmermann Krüger Hartmann Lange Dubois Lefèvre Moreau Laurent Kowalski Nowak Wiśniewski ' +
    'Rossi Russo Ferrari Esposito Bianchi Jansen Bakker Visser Andersson Nilsson Quaye Xanthopoulos Ypsilanti',
)
const RUSSIAN_GIVEN = words('Анна Борис Вера Григорий Дарья Евгений Жанна Иван Кирилл Людмила Мария Николай Ольга Пётр')
const RUSSIAN_FAMILY = words(
  'Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев Лебедев ' +
    'Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Щербаков Юдин Яковлев',
)
/** Each character with the way it is written in a user name. */
const CHINESE_FAMILY = words(
  '王wang 李li 张zhang 刘liu 陈chen 杨yang 赵zhao 黄huang 周zhou 吴wu 徐xu 孙sun 胡hu 朱zhu 高gao 林lin 何he 郭guo 马ma ' +
    '罗luo 梁liang 宋song 郑zheng 谢xie 韩han 唐tang 冯feng 于yu 董dong 萧xiao 程cheng 曹cao 袁yuan 邓deng 许xu 傅fu',
)
const CHINESE_GIVEN = words(
  '伟wei 芳fang 娜na 秀xiu 英ying 敏min 静jing 丽li 强qiang 磊lei 军jun 洋yang 勇yong 艳yan 杰jie 娟juan 涛tao 明ming ' +
    '超chao 兰lan 霞xia 平ping 刚gang 桂gui 文wen 辉hui 建jian 国guo 华hua 志zhi 红hong 玉yu 梅mei 春chun 海hai 燕yan',
)
const CYRILLIC = [...'абвгдежзийклмнопрстуфхцчшщыьэюяё']
const TRANSLITERATED = words(
  'a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch y _ e yu ya e'.replace('_', '-'),
)
const PLACES = words('people.example mail.example post.example office.example work.example')
const SCRIPTS = 20

/** One in seven is Russian, one in seven Chinese; the others have Latin names. */
export function personOf(index: number): Person {
  const pick = picker(index)
  const script = pick(SCRIPTS)
  if (script < 3) {
    const [given, family] = [of(RUSSIAN_GIVEN, pick), of(RUSSIAN_FAMILY, pick)]
    return person(`${given} ${family}`, transliterate(`${given}.${family}`), index, pick)
  }
  if (script < 6) {
    const given = of(CHINESE_GIVEN, pick) + (pick(3) > 0 ? of(CHINESE_GIVEN, pick) : '')
    const family = of(CHINESE_FAMILY, pick)
    return person((family + given).replace(/[a-z]/g, ''), `${given}.${family}`.replace(/[^a-z.]/g, ''), index, pick)
  }
  const [given, family] = [of(GIVEN, pick), of(FAMILY, pick)]
  const plain = `${given}.${family}`.normalize('NFD').toLowerCase()
  return person(`${given} ${family}`, plain.replace(/[^a-z.]/g, ''), index, pick)
}

function person(display_name: string, name: string, index: number, pick: (below: number) => number): Person {
  const username = `${name}${index}`
  const handle = pick(10) === 0 ? `${username}.social.example` : null
  return { username, display_name, email: `${username}@${of(PLACES, pick)}`, handle }
}

function transliterate(name: string): string {
  const letters = [...name.toLowerCase()].map((letter) => TRANSLITERATED[CYRILLIC.indexOf(letter)] ?? letter)
  return letters.join('').replaceAll('-', '')
}

function of(list: readonly string[], pick: (below: number) => number): string {
  return list[pick(list.length)] ?? ''
}

/** Numbers that look random and are always the same for the same seed (mulberry32). */
export function picker(seed: number): (below: number) => number {
  let state = (seed + 1) * 0x9e3779b1
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
