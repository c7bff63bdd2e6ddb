"""A few sentences in languages that a Chinese and English corpus does not want, written by hand."""

import random

from sampledata.english import Piece

SENTENCES: dict[str, list[str]] = {
    "ja": [
        "駅前の小さな喫茶店は、朝の七時から開いています。",
        "祖母は毎年春になると、庭の梅で梅干しを作ります。",
        "昨日の夜、台風の影響で電車が二時間も遅れました。",
        "この町には古い商店街があり、豆腐屋と本屋が並んでいます。",
        "図書館で借りた本を、まだ半分しか読んでいません。",
        "海の近くに住んでいるので、魚料理をよく食べます。",
        "弟は来年の四月から、北海道の大学に通うことになりました。",
        "雨が上がると、山の向こうに大きな虹が見えました。",
        "会議の資料は、明日の午前中までに送ってください。",
        "子どもたちは川で遊びながら、カエルやトンボを探しています。",
        "この機械の使い方が分からない場合は、係の者にお尋ねください。",
        "冬の夜には、こたつに入ってみかんを食べるのが楽しみです。",
    ],
    "ru": [
        "Маленькая пекарня на углу открывается в шесть часов утра.",
        "Дедушка каждое лето чинит старую деревянную лодку.",
        "Вчера из-за сильного снегопада поезд опоздал на два часа.",
        "В нашем городе есть музей, где хранятся карты и компасы.",
        "Мы собирали грибы в лесу и случайно вышли к озеру.",
        "Сестра учится в университете и по вечерам играет на скрипке.",
        "Если прибор не включается, проверьте, вставлен ли кабель.",
        "На рынке продают яблоки, мёд, сушёную рыбу и шерстяные носки.",
        "Осенью листья на клёнах становятся красными и жёлтыми.",
        "Учитель попросил нас написать рассказ о самом долгом дне.",
        "После дождя дорога стала такой грязной, что машина застряла.",
        "Библиотека закрыта по понедельникам и в праздничные дни.",
    ],
    "fr": [
        "La boulangerie du village ouvre à six heures, même en hiver.",
        "Mon grand-père répare des horloges dans une pièce pleine d'outils.",
        "Hier soir, le train est arrivé avec deux heures de retard à cause de la neige.",
        "Le musée conserve une collection de cartes marines et de boussoles.",
        "Nous avons ramassé des châtaignes près de la rivière, puis il s'est mis à pleuvoir.",
        "Ma sœur étudie la géologie et joue du violoncelle le samedi.",
        "Si l'appareil ne démarre pas, vérifiez d'abord que le câble est bien branché.",
        "On trouve au marché des pommes, du miel, du poisson séché et des pulls en laine.",
        "En automne, les érables de la place deviennent rouges et dorés.",
        "Le maître nous a demandé de raconter la journée la plus longue de l'année.",
        "Après l'orage, le chemin était si boueux que la charrette s'est enlisée.",
        "La bibliothèque est fermée le lundi et les jours fériés.",
    ],
}


def foreign(rng: random.Random, language: str) -> Piece:
    """Two or three paragraphs in `language` ("ja", "ru" or "fr")."""
    glue = "" if language == "ja" else " "
    first, *rest = rng.sample(SENTENCES[language], rng.randint(7, 12))
    cut = len(rest) // 2
    return Piece(first, [glue.join(rest[:cut]), glue.join(rest[cut:])])
